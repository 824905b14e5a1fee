/* Sine, cosine, tangent and their inverses, of vectors of T; see vector_math.h. */
#ifndef NNLUA_KERNELS_VECTOR_ANGLES_H
#define NNLUA_KERNELS_VECTOR_ANGLES_H

#include "kernels/typed/vector_math.h"

#if T_FLOATING

/* ---- sine and cosine ---- */

#if T_f32
#define TURNS_HIGHEST 2000.0f /* up to here pi in parts is good enough */
#define ONE_BY_PI 0.318309886f
/* pi in parts, of which products with whole numbers and halves are exact (those of SLEEF, by N. Shibata). */
#define PI_PARTS(X, n) \
  X - n * 3.140625f - n * 0.0009670257568359375f - n * 6.2771141529083251953e-07f - n * 1.2154201256553420762e-10f

/* x * 2/pi as a quarter (mod 4) and a remainder in [-1/2, 1/2]. 2/pi comes in parts of 28 bits, so that each product
   is exact and can be reduced on its own: right for every float, however large. */
static inline double quarters_of(float x, uint32_t *quarter)
{
  const double parts[7] = {0x1.45f306cp-1,   0x1.c9c882ap-29, 0x1.4fe13a8p-59, 0x1.f47d4dp-86,
                           0x1.bb81b6cp-113, 0x1.4acc9ep-143, 0x1.0e4107cp-170};
  double sum = 0;
  for (int i = 6; i >= 0; i--) {
    double turns = 0.25 * parts[i] * (double)x;
    sum += turns - floor(turns + 0.5);
  }
  sum *= 4;
  double nearest = floor(sum + 0.5);
  *quarter = (uint32_t)(int32_t)nearest;
  return sum - nearest;
}

/* sin(x + shift * pi/2) of any number. */
static inline float sin_of_any(float x, uint32_t shift)
{
  if (!(fabsf(x) < INFINITY)) return NAN;
  uint32_t quarter;
  float r = (float)(quarters_of(x, &quarter) * 1.5707963267948966), z = r * r;
  float s = ((-0.0001951463196f * z + 0.008332156054f) * z - 0.1666665454f) * z * r + r;
  float c = ((2.443241267e-5f * z - 0.001388730986f) * z + 0.04166664555f) * z * z + (1 - 0.5f * z);
  uint32_t turned = quarter + shift;
  float y = turned & 1 ? c : s;
  if (x == 0 && shift == 0) return x;
  return turned & 2 ? -y : y;
}

/* sin(r) for |r| <= pi / 2. */
INLINE Vector sin_near(Vector r)
{
  Vector z = r * r;
  Vector p = 2.605750744e-06f * z - 0.0001980959012f;
  p = p * z + 0.008333066083f;
  p = p * z - 0.1666665954f;
  return p * z * r + r;
}
#else
#define TURNS_HIGHEST 1e5
#define ONE_BY_PI 0.3183098861837907
/* pi in parts, and the coefficients of the sine, are those of SLEEF (N. Shibata). */
#define PI_PARTS(X, n)                                                                          \
  X - n * 3.1415926218032836914 - n * 3.1786509424591713469e-08 - n * 1.2246467864107188502e-16 \
    - n * 1.2736634327021899816e-24

static inline double sin_of_any(double x, uint32_t shift) { return shift ? cos(x) : sin(x); }

INLINE Vector sin_near(Vector r)
{
  Vector z = r * r;
  Vector p = -7.97255955009037868891952e-18 * z + 2.81009972710863200091251e-15;
  p = p * z - 7.64712219118158833288484e-13;
  p = p * z + 1.60590430605664501629054e-10;
  p = p * z - 2.50521083763502045810755e-08;
  p = p * z + 2.75573192239198747630416e-06;
  p = p * z - 0.000198412698412696162806809;
  p = p * z + 0.00833333333333332974823815;
  p = p * z - 0.166666666666666657414808;
  return p * z * r + r;
}
#endif

RARE Vector turned_anywhere(Vector x, uint32_t shift)
{
  T line[V];
  store(line, x);
  for (int j = 0; j < V; j++) line[j] = sin_of_any(line[j], shift);
  return load(line);
}

/* The sine: x = n pi + r. */
INLINE Vector vector_sin(Vector x)
{
  if (any_of(~(vector_abs(x) <= TURNS_HIGHEST))) return turned_anywhere(x, 0);
  Vector sum = x * ONE_BY_PI + ROUNDER, n = sum - ROUNDER;
  Vector y = sin_near(PI_PARTS(x, n));
  y = vector_of_bits(bits_of(y) ^ (bits_of(sum) << (8 * sizeof(T) - 1)));
  return choose(x == 0, x, y);
}

/* The cosine: x = (n + 1/2) pi + r. */
INLINE Vector vector_cos(Vector x)
{
  if (any_of(~(vector_abs(x) <= TURNS_HIGHEST))) return turned_anywhere(x, 1);
  Vector sum = (x * ONE_BY_PI - (T)0.5) + ROUNDER, n = (sum - ROUNDER) + (T)0.5;
  Vector y = sin_near(PI_PARTS(x, n));
  return vector_of_bits(bits_of(y) ^ (~bits_of(sum) << (8 * sizeof(T) - 1)));
}

/* ---- the tangent ---- */

/* tan(r) for |r| <= pi / 4, by coefficients of Cephes (S. L. Moshier). */
INLINE Vector tan_near(Vector r)
{
  Vector z = r * r;
#if T_f32
  Vector p = 9.38540185543e-3f * z + 3.11992232697e-3f;
  p = p * z + 2.44301354525e-2f;
  p = p * z + 5.34112807005e-2f;
  p = p * z + 1.33387994085e-1f;
  p = p * z + 3.33331568548e-1f;
  return p * z * r + r;
#else
  Vector p = -1.30936939181383734205e4 * z + 1.15351664838587416140e6;
  p = p * z - 1.79565251976484877988e7;
  Vector q = z + 1.36812963470692954678e4;
  q = q * z - 1.32089234440210967447e6;
  q = q * z + 2.50083801823357915839e7;
  q = q * z - 5.38695755929454629881e7;
  return z * (p / q) * r + r;
#endif
}

RARE Vector tan_anywhere(Vector x)
{
  for (int j = 0; j < V; j++) x[j] = LIBM(tan)(x[j]);
  return x;
}

/* x - n pi/2: in double, for what is lost here is more than half of the tangent's error. */
INLINE Vector less_quarters(Vector x, Vector n)
{
#if T_f32
  const double quarter = 1.5707963267948966;
  return narrowed(low_doubles(x) - low_doubles(n) * quarter, high_doubles(x) - high_doubles(n) * quarter);
#else
  n = n * 0.5;
  return PI_PARTS(x, n);
#endif
}

/* The tangent: x = n pi/2 + r. */
INLINE Vector vector_tan(Vector x)
{
  if (any_of(~(vector_abs(x) <= TURNS_HIGHEST / 2))) return tan_anywhere(x);
  Vector sum = x * (2 * ONE_BY_PI) + ROUNDER, n = sum - ROUNDER;
  Vector y = tan_near(less_quarters(x, n));
  y = choose((bits_of(sum) & 1) != 0, -1 / y, y);
  return choose(x == 0, x, y);
}

/* ---- the inverse functions ---- */

#define HALF_PI (T)1.5707963267948966
#define QUARTER_PI (T)0.78539816339744831
#if T_f32
#define HALF_PI_LOW -4.37113900e-8f /* what HALF_PI lacks */
#else
#define HALF_PI_LOW 6.123233995736765886130e-17
#endif

/* atan(u) - u, for |u| <= 0.66 (float32: 0.42); method and coefficients of atan are those of Cephes (S. L. Moshier). */
INLINE Vector atan_rest(Vector u)
{
  Vector z = u * u;
#if T_f32
  Vector p = 8.05374449538e-2f * z - 1.38776856032e-1f;
  p = p * z + 1.99777106478e-1f;
  p = p * z - 3.33329491539e-1f;
  return p * z * u;
#else
  Vector p = -8.750608600031904122785e-1 * z - 1.615753718733365076637e1;
  p = p * z - 7.500855792314704667340e1;
  p = p * z - 1.228866684490136173410e2;
  p = p * z - 6.485021904942025371773e1;
  Vector q = z + 2.485846490142306297962e1;
  q = q * z + 1.650270098316988542046e2;
  q = q * z + 4.328810604912902668951e2;
  q = q * z + 4.853903996359136964868e2;
  q = q * z + 1.945506571482613964425e2;
  return z * (p / q) * u;
#endif
}

/* The inverse of the tangent of a / b, for a, b >= 0 of which not both are 0 or infinite. */
INLINE Vector atan_of_ratio(Vector a, Vector b)
{
  const T near = sizeof(T) == 4 ? (T)0.4142135624 : (T)0.66;
  Mask large = a > (T)2.414213562373095 * b, middle = (a > near * b) & ~large;
  Vector from = choose(large, -b, choose(middle, a - b, a));
  Vector by = choose(large, a, choose(middle, a + b, b));
  Vector start = choose(large, AS_VECTOR(HALF_PI), choose(middle, AS_VECTOR(QUARTER_PI), AS_VECTOR((T)0)));
  Vector low = choose(large, AS_VECTOR((T)HALF_PI_LOW), choose(middle, AS_VECTOR((T)HALF_PI_LOW / 2), AS_VECTOR((T)0)));
  Vector u = from / by;
  return start + (u + (atan_rest(u) + low));
}

INLINE Vector vector_atan(Vector x) { return vector_signed(atan_of_ratio(vector_abs(x), AS_VECTOR((T)1)), x); }

RARE Vector atan2_anywhere(Vector y, Vector x)
{
  for (int j = 0; j < V; j++) y[j] = LIBM(atan2)(y[j], x[j]);
  return y;
}

/* The angle of the point (x, y). Lengths near the ends of the range, where a sum or a product would leave it, are
   rare. */
INLINE Vector vector_atan2(Vector y, Vector x)
{
  const T least = sizeof(T) == 4 ? (T)1e-35 : (T)1e-290, most = 1 / least;
  Vector a = vector_abs(y), b = vector_abs(x), longer = larger(a, b);
  if (any_of(~((longer >= least) & (longer <= most) & (a == a) & (b == b)))) return atan2_anywhere(y, x);
  Vector angle = atan_of_ratio(a, b);
  angle = choose(bits_of(x) < 0, 2 * HALF_PI - angle + 2 * (T)HALF_PI_LOW, angle);
  return vector_signed(angle, y);
}

/* The length of the vector (a, b). */
INLINE Vector vector_hypot(Vector a, Vector b)
{
  a = vector_abs(a), b = vector_abs(b);
  Vector m = larger(a, b), r = smaller(a, b) / m;
  Vector y = choose(m == 0, m, m * vector_sqrt(r * r + 1));
  y = choose((a != a) | (b != b), AS_VECTOR((T)NAN), y);
  return choose((a == INFINITY) | (b == INFINITY), AS_VECTOR((T)INFINITY), y);
}

/* asin(a) = y for a <= 1/2, and pi / 2 - 2 y beyond. Coefficients of Cephes and, for float64, of fdlibm's e_asin.c (Sun
   Microsystems, 1993). */
INLINE Vector asin_part(Vector a, Mask far)
{
  Vector z = choose(far, (T)0.5 * (1 - a), a * a), u = choose(far, vector_sqrt(z), a);
#if T_f32
  Vector p = 4.2163199048e-2f * z + 2.4181311049e-2f;
  p = p * z + 4.5470025998e-2f;
  p = p * z + 7.4953002686e-2f;
  p = p * z + 1.6666752422e-1f;
  return p * z * u + u;
#else
  Vector p = 3.47933107596021167570e-05 * z + 7.91534994289814532176e-04;
  p = p * z - 4.00555345006794114027e-02;
  p = p * z + 2.01212532134862925881e-01;
  p = p * z - 3.25565818622400915405e-01;
  p = p * z + 1.66666666666666657415e-01;
  Vector q = 7.70381505559019352791e-02 * z - 6.88283971605453293030e-01;
  q = q * z + 2.02094576023350569471e+00;
  q = q * z - 2.40339491173441421878e+00;
  q = q * z + 1;
  return p * z / q * u + u;
#endif
}

INLINE Vector vector_asin(Vector x)
{
  Vector a = vector_abs(x);
  Mask far = a > (T)0.5;
  Vector y = asin_part(a, far);
  y = choose(far, HALF_PI - (2 * y - (T)HALF_PI_LOW), y);
  return vector_of_bits(bits_of(y) ^ (bits_of(x) & SIGN_BIT));
}

INLINE Vector vector_acos(Vector x)
{
  Vector a = vector_abs(x);
  Mask far = a > (T)0.5;
  Vector y = asin_part(a, far), twice = 2 * y;
  Vector near = HALF_PI - (vector_of_bits(bits_of(y) | (bits_of(x) & SIGN_BIT)) - (T)HALF_PI_LOW);
  return choose(far, choose(x < 0, 2 * HALF_PI - (twice - 2 * (T)HALF_PI_LOW), twice), near);
}

#endif
#endif
