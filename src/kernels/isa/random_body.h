/*
 * Distributions in one type, included once for each. The includer defines
 *   SUFFIX     the type's name: normal_SUFFIX and so on are entered into the table
 *   TYPE       the type
 *   OF_DOUBLE  what rounds a double to it; without it there is only bernoulli
 * which are undefined at the end. out: [n]
 */
#define NAME__(name, suffix) name##_##suffix
#define NAME_(name, suffix) NAME__(name, suffix)
#define NAME(name) NAME_(name, SUFFIX)

#ifdef OF_DOUBLE
static void NAME(normal)(Generator *generator, int64_t n, TYPE *out, double mean, double std)
{
  if (n < NORMAL_BLOCK) {
    for (int64_t i = 0; i < n; i++) out[i] = OF_DOUBLE(fma(draw_normal(generator), std, mean));
    return;
  }
  NAME(uniform)(generator, n, out, 0, 1);
  for (int64_t i = 0; i + NORMAL_BLOCK <= n; i += NORMAL_BLOCK) NAME(normal_block)(out + i, mean, std);
  if (n % NORMAL_BLOCK == 0) return;
  /* The last 16 are drawn again, those of them too that were done. */
  NAME(uniform)(generator, NORMAL_BLOCK, out + n - NORMAL_BLOCK, 0, 1);
  NAME(normal_block)(out + n - NORMAL_BLOCK, mean, std);
}

static void NAME(exponential)(Generator *generator, int64_t n, TYPE *out, double lambda)
{
  double scale = -1 / lambda, units[PAIRS];
  for (; n > 0; n -= PAIRS, out += PAIRS) {
    int64_t count = min_i64(n, PAIRS);
    fill_unit_f64(generator, count, units);
    for (int64_t i = 0; i < count; i++) out[i] = OF_DOUBLE(scale * log(1 - units[i]));
  }
}
#endif

static void NAME(bernoulli)(Generator *generator, int64_t n, TYPE *out, double p, TYPE yes)
{
  int64_t bound = (int64_t)bernoulli_bound(p);
  uint32_t words[WORDS];
  for (; n > 0; n -= PAIRS, out += PAIRS) {
    int64_t count = min_i64(n, PAIRS);
    mt_draw(generator, 2 * count, words);
    for (int64_t i = 0; i < count; i++) out[i] = (int64_t)low53_of_pair(words + 2 * i) < bound ? yes : 0;
  }
}

#undef NAME__
#undef NAME_
#undef NAME
#undef SUFFIX
#undef TYPE
#undef OF_DOUBLE
