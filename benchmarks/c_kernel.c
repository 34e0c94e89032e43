/* The demographic core by hand: what a C programmer would write who knows its shape and wants it fast.
 *
 * Ages are contiguous and padded to PAD, so that no loop has a rest; both contracts of a cell go through one
 * loop, which adds hazards, works out time lived, lets people leave, retire and change contract, and sums every
 * flow in vector lanes (`omp simd`, no -ffast-math needed). Moves are added two edges at a time. The equations are
 * those of docs/background/model.md, steps 4, 6, 7, 10 and 11. Sizes (POSTS, AGES, EDGES, SOURCES) and the
 * polynomial PHI come from the compiler's command line.
 */
#include <stdint.h>
#include <string.h>

#define GROUPS 2
#define CONTRACTS 2
#define LEAVING 4
#define SWITCHES 3
#define RISKS (LEAVING + 1 + SWITCHES)
#define PAD ((AGES + 7) / 8 * 8)
#define DT (1.0 / 12.0)

struct core {
    int64_t months, rows, window_first, window_end, index_55;
    const double *people;         /* draws, POSTS, GROUPS, CONTRACTS, AGES */
    const double *hazard;         /* years, 12, rows, PAD */
    const int64_t *row;           /* RISKS, POSTS, GROUPS */
    const double *scale;          /* draws, RISKS, POSTS, GROUPS, CONTRACTS */
    const double *fte_per_head;   /* draws, POSTS, GROUPS, CONTRACTS */
    const int64_t *origin, *to;   /* EDGES */
    const double *rate;           /* draws, EDGES */
    const double *hires;          /* draws, SOURCES, POSTS */
    const double *hire_ages;      /* SOURCES, POSTS, GROUPS, PAD */
    const double *hire_contracts; /* draws, POSTS, GROUPS, CONTRACTS */
    double *headcount, *headcount_55plus, *headcount_by_age, *fte, *first_year;
    double *joiners, *leavers, *retirements, *moves, *switches;
};

typedef double cells[POSTS][GROUPS][CONTRACTS][PAD];

struct run {
    _Alignas(64) cells people, lived; /* lived: person-years of the ages that move */
    _Alignas(64) double hires[POSTS][GROUPS][PAD + 8], moving[PAD], older[PAD]; /* hires: heads a month */
    double away[POSTS], able[POSTS], heads[POSTS], lost[POSTS], gone[POSTS], first_year[POSTS][12];
    int incoming[EDGES], first_in[POSTS + 1];
};

static inline double time_lived(double hazard)
{
    static const double c[] = {PHI};
    double x = hazard * DT, s = c[PHI_DEGREE];
    for (int i = PHI_DEGREE - 1; i >= 0; i--)
        s = s * x + c[i];
    return s * DT;
}

/* Competing risks of one post and group, both contracts; W of the ages that move is kept. */
static void compete(const struct core *k, struct run *r, const double *hazard, long d, int p, int g, double *leavers,
                    double *retired, double *switched)
{
    const double *h[RISKS], *x = k->scale + d * RISKS * POSTS * GROUPS * CONTRACTS;
    double f[RISKS][CONTRACTS];
    for (int i = 0; i < RISKS; i++) {
        h[i] = hazard + k->row[(i * POSTS + p) * GROUPS + g] * PAD;
        for (int c = 0; c < CONTRACTS; c++)
            f[i][c] = x[((i * POSTS + p) * GROUPS + g) * CONTRACTS + c];
    }
    const double *restrict hl = h[0], *restrict hd = h[3], *restrict hr = h[4];
    const double *restrict h1 = h[5], *restrict h2 = h[6], *restrict h3 = h[7], *restrict moving = r->moving;
    double *restrict n0 = r->people[p][g][0], *restrict n1 = r->people[p][g][1];
    double *restrict w0 = r->lived[p][g][0], *restrict w1 = r->lived[p][g][1];
    const double l0 = f[0][0] + f[1][0] + f[2][0], l1 = f[0][1] + f[1][1] + f[2][1], away = r->away[p];
    const double d0 = f[3][0], d1 = f[3][1], r0 = f[4][0], r1 = f[4][1], s1 = f[5][0], s2 = f[6][0], s3 = f[7][1];
    double tl0 = 0, td0 = 0, tr0 = 0, t1 = 0, t2 = 0, tl1 = 0, td1 = 0, tr1 = 0, t3 = 0, able = 0;
#pragma omp simd reduction(+ : tl0, td0, tr0, t1, t2, tl1, td1, tr1, t3, able)
    for (int a = 0; a < PAD; a++) {
        double out0 = s1 * h1[a] + s2 * h2[a], out1 = s3 * h3[a], m = away * moving[a];
        double y0 = l0 * hl[a] + d0 * hd[a] + r0 * hr[a] + out0 + m;
        double y1 = l1 * hl[a] + d1 * hd[a] + r1 * hr[a] + out1 + m;
        double lived0 = n0[a] * time_lived(y0), lived1 = n1[a] * time_lived(y1);
        n0[a] += out1 * lived1 - y0 * lived0;
        n1[a] += out0 * lived0 - y1 * lived1;
        tl0 += hl[a] * lived0, td0 += hd[a] * lived0, tr0 += hr[a] * lived0;
        tl1 += hl[a] * lived1, td1 += hd[a] * lived1, tr1 += hr[a] * lived1;
        t1 += h1[a] * lived0, t2 += h2[a] * lived0, t3 += h3[a] * lived1;
        w0[a] = moving[a] * lived0, w1[a] = moving[a] * lived1;
        able += w0[a] + w1[a];
    }
    for (int i = 0; i < 3; i++)
        leavers[i] += f[i][0] * tl0 + f[i][1] * tl1;
    leavers[3] += d0 * td0 + d1 * td1;
    *retired += r0 * tr0 + r1 * tr1;
    switched[0] += s1 * t1, switched[1] += s2 * t2, switched[2] += s3 * t3;
    r->able[p] += able;
}

/* Moves into one post, two edges at a time, over the ages that move. */
static void arrive(const struct core *k, struct run *r, const double *rate, int p)
{
    const int first = k->window_first / 8 * 8, end = (k->window_end + 7) / 8 * 8;
    for (int gc = 0; gc < GROUPS * CONTRACTS; gc++) {
        double *restrict n = &r->people[p][0][0][0] + gc * PAD;
        int j = r->first_in[p];
        for (; j + 1 < r->first_in[p + 1]; j += 2) {
            int e = r->incoming[j], f = r->incoming[j + 1];
            const double *restrict u = &r->lived[k->origin[e]][0][0][0] + gc * PAD;
            const double *restrict v = &r->lived[k->origin[f]][0][0][0] + gc * PAD;
            const double x = rate[e], y = rate[f];
#pragma omp simd
            for (int a = first; a < end; a++)
                n[a] += x * u[a] + y * v[a];
        }
        if (j < r->first_in[p + 1]) {
            const double *restrict u = &r->lived[k->origin[r->incoming[j]]][0][0][0] + gc * PAD;
            const double x = rate[r->incoming[j]];
#pragma omp simd
            for (int a = first; a < end; a++)
                n[a] += x * u[a];
        }
    }
}

/* Hires start, `hiring` times their number (share `part` of each age is a cohort younger); heads and FTE are counted. */
static void start_and_count(const struct core *k, struct run *r, long d, long t, int month, double hiring, double part)
{
    const double *share = k->hire_contracts + d * POSTS * GROUPS * CONTRACTS;
    const double *w = k->fte_per_head + d * POSTS * GROUPS * CONTRACTS, full = 1.0 - part;
    const long at = (d * (k->months + 1) + t) * POSTS;
    r->older[k->index_55 - 1] = month / 12.0;
    for (int p = 0; p < POSTS; p++) {
        double older = 0, fte = 0, heads = 0;
        for (int g = 0; g < GROUPS; g++) {
            const int cell = (p * GROUPS + g) * CONTRACTS;
            double *restrict n0 = r->people[p][g][0], *restrict n1 = r->people[p][g][1];
            const double *restrict hires = r->hires[p][g], *restrict weight = r->older;
            const double c0 = hiring * share[cell], c1 = hiring * share[cell + 1];
            double heads0 = 0, heads1 = 0;
            n0[0] += c0 * part * hires[0], n1[0] += c1 * part * hires[0];
#pragma omp simd reduction(+ : heads0, heads1, older)
            for (int a = 0; a < PAD; a++) {
                double h = full * hires[a] + part * hires[a + 1];
                n0[a] += c0 * h, n1[a] += c1 * h;
                heads0 += n0[a], heads1 += n1[a], older += weight[a] * (n0[a] + n1[a]);
            }
            double *out = k->headcount + (at + p) * GROUPS * CONTRACTS + g * CONTRACTS;
            out[0] = heads0, out[1] = heads1;
            fte += heads0 * w[cell] + heads1 * w[cell + 1];
            heads += heads0 + heads1;
        }
        k->headcount_55plus[at + p] = older, k->fte[at + p] = fte, r->heads[p] = heads;
    }
}

static void birthday(struct run *r, double *retired)
{
    for (int p = 0; p < POSTS; p++) {
        double gone = 0;
        for (int gc = 0; gc < GROUPS * CONTRACTS; gc++) {
            double *n = &r->people[p][0][0][0] + gc * PAD;
            gone += n[AGES - 1];
            memmove(n + 1, n, (AGES - 1) * sizeof *n);
            n[0] = 0;
        }
        retired[p] += gone;
        for (int slot = 0; slot < 12; slot++)
            r->first_year[p][slot] *= r->heads[p] > 0 ? 1 - gone / r->heads[p] : 1;
    }
}

static void prepare(const struct core *k, struct run *r, long d)
{
    int n = 0;
    memset(r, 0, sizeof *r);
    for (int i = 0; i < POSTS * GROUPS * CONTRACTS; i++)
        memcpy(&r->people[0][0][0][0] + i * PAD, k->people + (d * POSTS * GROUPS * CONTRACTS + i) * AGES,
               AGES * sizeof(double));
    for (int a = 0; a < PAD; a++) {
        r->moving[a] = a >= k->window_first && a < k->window_end;
        r->older[a] = a >= k->index_55;
    }
    for (int p = 0; p < POSTS; p++) {
        r->first_in[p] = n;
        for (int e = 0; e < EDGES; e++) {
            if (k->to[e] == p)
                r->incoming[n++] = e;
            if (k->origin[e] == p)
                r->away[p] += k->rate[d * EDGES + e];
        }
        for (int j = 0; j < SOURCES; j++)
            for (int g = 0; g < GROUPS; g++)
                for (int a = 0; a < PAD; a++)
                    r->hires[p][g][a] += k->hires[(d * SOURCES + j) * POSTS + p]
                                         * k->hire_ages[((j * POSTS + p) * GROUPS + g) * PAD + a];
    }
    r->first_in[POSTS] = n;
}

static void by_age(const struct core *k, const struct run *r, long d, long year)
{
    double *out = k->headcount_by_age + (d * (k->months / 12 + 1) + year) * POSTS * AGES;
    for (int p = 0; p < POSTS; p++)
        for (int a = 0; a < AGES; a++)
            out[p * AGES + a] = r->people[p][0][0][a] + r->people[p][0][1][a] + r->people[p][1][0][a]
                                + r->people[p][1][1][a];
}

static void simulate(const struct core *k, long d)
{
    struct run r;
    const double *rate = k->rate + d * EDGES, *hires = k->hires + d * SOURCES * POSTS;
    prepare(k, &r, d);
    start_and_count(k, &r, d, 0, 0, 0.0, 0.0);
    by_age(k, &r, d, 0);
    for (long t = 0; t < k->months; t++) {
        const long at = (d * k->months + t) * POSTS, next = (d * (k->months + 1) + t + 1) * POSTS;
        const double *hazard = k->hazard + t * k->rows * PAD;
        memset(r.lost, 0, sizeof r.lost), memset(r.gone, 0, sizeof r.gone), memset(r.able, 0, sizeof r.able);
        for (int p = 0; p < POSTS; p++) {
            double *leavers = k->leavers + (at + p) * LEAVING, *retired = k->retirements + at + p;
            for (int g = 0; g < GROUPS; g++)
                compete(k, &r, hazard, d, p, g, leavers, retired, k->switches + (at + p) * SWITCHES);
            for (int i = 0; i < LEAVING; i++)
                r.lost[p] += leavers[i];
            r.gone[p] = *retired;
        }
        for (int e = 0; e < EDGES; e++) {
            double heads = rate[e] * r.able[k->origin[e]];
            k->moves[(d * k->months + t) * EDGES + e] = heads;
            r.gone[k->origin[e]] += heads;
        }
        for (int p = 0; p < POSTS; p++) {
            double *first_year = r.first_year[p], stay = 0, joined = 0;
            arrive(k, &r, rate, p);
            if (r.heads[p] > 0)
                stay = (1 - r.lost[p] / r.heads[p]) * (1 - r.gone[p] / r.heads[p]);
            for (int slot = 0; slot < 12; slot++)
                first_year[slot] *= stay;
            for (int j = 0; j < SOURCES; j++) {
                double heads = hires[j * POSTS + p];
                k->joiners[(at + p) * (SOURCES + 1) + j] = heads;
                joined += heads;
            }
            first_year[t % 12] = joined; /* those of twelve months ago are no longer new */
        }
        start_and_count(k, &r, d, t + 1, (t + 1) % 12, 1.0, (t % 12 + 1) / 12.0);
        if (t % 12 == 11) {
            birthday(&r, k->retirements + at);
            start_and_count(k, &r, d, t + 1, 0, 0.0, 0.0);
            by_age(k, &r, d, (t + 1) / 12);
        }
        for (int p = 0; p < POSTS; p++) {
            double sum = 0;
            for (int slot = 0; slot < 12; slot++)
                sum += r.first_year[p][slot];
            k->first_year[next + p] = sum;
        }
    }
}

void run_core(const struct core *k, int64_t first, int64_t end)
{
    for (int64_t d = first; d < end; d++)
        simulate(k, d);
}
