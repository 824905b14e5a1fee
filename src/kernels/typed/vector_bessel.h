/*
 * Bessel functions of orders 0 and 1, of vectors of doubles. Up to 5 they are polynomials of the square beside their
 * zeros and their logarithm, from there on beside the leading terms of their asymptotic form (DLMF 10.17), interpolated
 * at Chebyshev's points (worked out with 50 digits by definition). Beside zeros above 5, and those of the second kind,
 * it is the absolute error that is small.
 */
#ifndef NNLUA_KERNELS_VECTOR_BESSEL_H
#define NNLUA_KERNELS_VECTOR_BESSEL_H

#include "kernels/typed/bessel.h"
#include "kernels/typed/vector_polynomial.h"

#if T_f64

/* Of t = 2 (x / 5)^2 - 1, x <= 5: J0 over its first two zeros, J1 / x over its first one, Y0 - 2/pi log(x) J0 and
   (Y1 - 2/pi (log(x) J1 - 1 / x)) / x. */
static const double j0_near[] = {0.0031873556303932385,   -0.0019210870437164044,  0.00048768271776558411,
                                 -7.1217052405758527e-5,  6.854954847199373e-6,    -4.7062916645708523e-7,
                                 2.4286220380254094e-8,   -9.7814389461725698e-10, 3.1637239892118342e-11,
                                 -8.4041852731800538e-13, 1.8688672682728883e-14,  -3.5242897530042271e-16};
static const double j1_near[] = {-0.015875954311645481, 0.013090777521810029,    -0.0042402259933957226,
                                 0.0007552540432951285, -8.5929562320671336e-5,  6.8146838951773478e-6,
                                 -3.991381172349697e-7, 1.7995159923743992e-8,   -6.4431255337156178e-10,
                                 1.877381214599579e-11, -4.5448929602915886e-13, 9.2680802047434104e-15};
static const double y0_near[] = {
  0.4837248578102995,      -0.43265582228551252,   -0.4705763655297288,     0.38851639956570942,
  -0.11151682184328618,    0.017635345389338749,   -0.0018028096665526023,  0.00012994629092087042,
  -6.9855043677424997e-6,  2.914220687772586e-7,   -9.7209644987351343e-9,  2.6539990841505485e-10,
  -6.0431800819788007e-12, 1.1655644277636366e-13, -1.9305329316713125e-15, 2.7720674959983851e-17};
static const double y1_near[] = {0.13974939033568805,     0.091086508384484437,    -0.16312020358118715,
                                 0.066346953547791071,    -0.013433433740818166,   0.0016688031328635941,
                                 -0.00014141835794484213, 8.7330983048493144e-6,   -4.1137780795312216e-7,
                                 1.528890182483862e-8,    -4.6013010745671041e-10, 1.1448944556867688e-11,
                                 -2.3977823351358214e-13, 4.2776864260420624e-15};
/* Of t = 2 (5 / x)^2 - 1, x >= 5: P and x Q, where J + i Y is sqrt(2 / (pi x)) (P + i Q) e^(i z),
   z = x - (order / 2 + 1/4) pi. */
static const double bessel_p0[] = {
  0.99863476590919906,     -0.0013274931272003388,  3.491730581252044e-5,   -2.459963325168103e-6,
  2.975900553746619e-7,    -5.0864258402644511e-8,  1.1058780568890595e-8,  -2.8710600706503539e-9,
  8.5376762634866409e-10,  -2.8294524967467119e-10, 1.0436064350820112e-10, -4.106525217778278e-11,
  1.2759965127797934e-11,  -4.9125123069319898e-12, 8.1858230820598214e-12, -4.552209147917835e-12,
  -2.7471611955307326e-12, 1.7441285809412519e-12,  1.4135159640864856e-12, -8.3698692757015959e-13};
static const double bessel_q0[] = {
  -0.12361496352611864,    0.0013142139729102307,   -6.3387154427169065e-5,  6.239113171753875e-6,
  -9.4098746280864376e-7,  1.8870291686232797e-7,   -4.6398710260392832e-8,  1.3297316184447042e-8,
  -4.2896883004727955e-9,  1.5235779270498289e-9,   -6.0331577158523112e-10, 2.5137413425272493e-10,
  -7.0250098258664015e-11, 2.6184060284647663e-11,  -6.6737359188871896e-11, 3.8673300175068569e-11,
  2.5950177749022508e-11,  -1.6660142565285113e-11, -1.2305652904546721e-11, 7.4697821856119503e-12};
static const double bessel_p1[] = {
  1.0022906462560662,      0.0022414632139171263,   -4.5782806531241473e-5,  2.9786211090342457e-6,
  -3.4667186580139648e-7,  5.7916610107440335e-8,   -1.2403208324099435e-8,  3.1855032324146684e-9,
  -9.3961113825072043e-10, 3.09413943706809e-10,    -1.1347108608292092e-10, 4.4449687372999161e-11,
  -1.386282352897023e-11,  5.3363436319385422e-12,  -8.6981566878873736e-12, 4.8247888891108164e-12,
  2.8909769369147032e-12,  -1.8347559597628754e-12, -1.4950516095189181e-12, 8.840536838471388e-13};
static const double bessel_q1[] = {
  0.37304743317408019,     -0.0018648496218412948,  7.8980941781619008e-5,  -7.3699279500102567e-6,
  1.0798853206983243e-6,   -2.126673447636193e-7,   5.1642378767347945e-8,  -1.4665010281704749e-8,
  4.6978424012270032e-9,   -1.6592240162786598e-9,  6.5347512076455508e-10, -2.7115133491572336e-10,
  7.638432363833482e-11,   -2.8545701221610978e-11, 7.0713078357557654e-11, -4.0886817651123107e-11,
  -2.7290332026020683e-11, 1.7511139205096828e-11,  1.2993617120381692e-11, -7.8774056301057381e-12};

#define BESSEL_NEAR 5
#define TWO_BY_PI 0.63661977236758134

/* a^2 less the square of a zero, which comes in two parts. */
INLINE Vector beside_zero(Vector a, double zero, double rest) { return ((a - zero) - rest) * (a + zero); }

/* J of 0 <= a <= 5 */
INLINE Vector bessel_j_near(int order, Vector a)
{
  Vector t = a * a * (2.0 / (BESSEL_NEAR * BESSEL_NEAR)) - 1;
  if (order) return beside_zero(a, 3.8317059702075125, -1.5269184090088067e-16) * a * VECTOR_POLYNOMIAL(j1_near, t);
  Vector small = 1 - 0.25 * a * a, zeros = beside_zero(a, 2.404825557695773, -1.176691651530894e-16)
                                           * beside_zero(a, 5.520078110286311, 8.088597146146722e-17);
  return choose(a < 1e-5, small, zeros * VECTOR_POLYNOMIAL(j0_near, t));
}

/* Y of 0 < a <= 5 */
INLINE Vector bessel_y_near(int order, Vector a)
{
  Vector t = a * a * (2.0 / (BESSEL_NEAR * BESSEL_NEAR)) - 1, product = vector_log(a) * bessel_j_near(order, a);
  if (order) return TWO_BY_PI * (product - 1 / a) + a * VECTOR_POLYNOMIAL(y1_near, t);
  return TWO_BY_PI * product + VECTOR_POLYNOMIAL(y0_near, t);
}

/* J, or Y, of a >= 5 */
LARGE Vector bessel_far(int order, bool second, Vector a)
{
  Vector r = 1 / a, t = r * r * (2.0 * BESSEL_NEAR * BESSEL_NEAR) - 1;
  Vector p = order ? VECTOR_POLYNOMIAL(bessel_p1, t) : VECTOR_POLYNOMIAL(bessel_p0, t);
  Vector q = r * (order ? VECTOR_POLYNOMIAL(bessel_q1, t) : VECTOR_POLYNOMIAL(bessel_q0, t));
  Vector sine = vector_sin(a), cosine = vector_cos(a);
  Vector c = order ? sine - cosine : sine + cosine, s = order ? -(sine + cosine) : sine - cosine;
  Vector y = vector_sqrt(r * (0.5 * TWO_BY_PI)) * (second ? p * s + q * c : p * c - q * s);
  return choose(a < INFINITY, y, choose(a == INFINITY, AS_VECTOR(0.0), a));
}

/* The Bessel functions of the first kind. */
LARGE Vector vector_bessel_j(int order, Vector x)
{
  Vector a = vector_abs(x), y = bessel_j_near(order, smaller(AS_VECTOR(5.0), a));
  if (any_of(~(a <= BESSEL_NEAR))) y = choose(a <= BESSEL_NEAR, y, bessel_far(order, false, larger(AS_VECTOR(5.0), a)));
  return order ? vector_of_bits(bits_of(y) ^ (bits_of(x) & SIGN_BIT)) : y;
}

/* Those of the second kind. */
LARGE Vector vector_bessel_y(int order, Vector x)
{
  Vector y = bessel_y_near(order, smaller(AS_VECTOR(5.0), x));
  if (any_of(~(x <= BESSEL_NEAR))) y = choose(x <= BESSEL_NEAR, y, bessel_far(order, true, larger(AS_VECTOR(5.0), x)));
  return choose(x > 0, y, choose(x == 0, AS_VECTOR(-(T)INFINITY), AS_VECTOR((T)NAN)));
}

/* e^-|x| times the modified ones of the first kind. */
LARGE Vector vector_scaled_bessel_i(int order, Vector x)
{
  Vector a = vector_abs(x), near = smaller(AS_VECTOR(8.0), a), t = near * 0.25 - 1;
  Vector y = order ? near * VECTOR_POLYNOMIAL(i1_near, t) : VECTOR_POLYNOMIAL(i0_near, t);
  if (any_of(~(a <= 8))) {
    t = 16 / larger(AS_VECTOR(8.0), a) - 1;
    Vector far = (order ? VECTOR_POLYNOMIAL(i1_far, t) : VECTOR_POLYNOMIAL(i0_far, t)) / vector_sqrt(a);
    y = choose(a <= 8, y, far);
  }
  return order ? vector_signed(y, x) : choose(a < 1e-17, AS_VECTOR(1.0), y);
}

/* The modified ones; e^|x| in two steps, since it ends before they do. */
INLINE Vector vector_bessel_i(int order, Vector x)
{
  Vector a = vector_abs(x), half = vector_exp(0.5 * a), y = half * vector_scaled_bessel_i(order, x) * half;
  return choose(a == INFINITY, order ? x : a, y);
}

/* sin(x) / x */
INLINE Vector vector_spherical_j0(Vector x)
{
  Vector y = vector_sin(x) / x;
  return choose(x == 0, AS_VECTOR(1.0), choose(vector_abs(x) == INFINITY, AS_VECTOR(0.0), y));
}

#endif
#endif
