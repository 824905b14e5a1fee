/* Numbers as bytes by one scale and zero point. */
#include "launch/nn/quantize.h"

#include <math.h>

#include "kernels/quantize.h"
#include "launch/launch.h"

/* Operands: what is read, then the scale and zero point of each form. */
enum { FIRST, SECOND, FORMS };

typedef struct Job {
  BytePairKind kind;
  int64_t low, high;
  ByteScale from, to;
  BytePair pair;
} Job;

/* The form whose scale is operand `at`, for bytes of a dtype. */
static ByteScale scale_at(const Launch *l, int at, DType dtype)
{
  const uint8_t *zero = operand_at(l, at + 1, 0);
  const bool is_signed = dtype == DTYPE_i8;
  const float z = !zero ? 0 : is_signed ? (int8_t)*zero : *zero, low = is_signed ? -128 : 0;
  return (ByteScale){is_signed, *(const float *)operand_at(l, at, 0), z, low - z, low + 255 - z};
}

#define ONE_FORM {MOVED, MOVED, MOVED, MOVED}
#define THREE_FORMS {MOVED, MOVED, MOVED, MOVED, MOVED, MOVED, MOVED, MOVED}

/* ------------------------------------------------------------------ one way */

static void before_quantize(Call *call, const Launch *l)
{
  (void)call;
  Job *j = l->params;
  j->to = scale_at(l, FORMS, tensor_dtype(l->y[0]));
  if (j->low == 0 && j->high == 0) return;
  j->to.low = (float)j->low - j->to.zero;
  j->to.high = (float)j->high - j->to.zero;
}

static void run_quantize(const Launch *l, int64_t begin, int64_t end)
{
  const Job *j = l->params;
  l->k->quantize->quantize(end - begin, operand_at(l, FIRST, begin), &j->to, result_at(l, 0, begin));
}

void launch_quantize(Call *call, Tensor *x, ByteForm to, int64_t low, int64_t high, Tensor *y)
{
  static const Driver driver = {
    .run = run_quantize, .before = before_quantize, .results = {MOVED}, .operands = ONE_FORM};
  Job j = {.low = low, .high = high};
  launch(call, &driver, DTYPE_f32, TENSOR_LIST(y), TENSOR_LIST(x, NULL, to.scale, to.zero), (Work){x->numel, 1}, &j);
}

static void before_dequantize(Call *call, const Launch *l)
{
  (void)call;
  ((Job *)l->params)->from = scale_at(l, FORMS, tensor_dtype(l->x[FIRST]));
}

static void run_dequantize(const Launch *l, int64_t begin, int64_t end)
{
  const Job *j = l->params;
  l->k->quantize->dequantize(end - begin, operand_at(l, FIRST, begin), &j->from, result_at(l, 0, begin));
}

void launch_dequantize(Call *call, Tensor *x, ByteForm from, Tensor *y)
{
  static const Driver driver = {
    .run = run_dequantize, .before = before_dequantize, .results = {MOVED}, .operands = ONE_FORM};
  Job j = {.low = 0};
  launch(call, &driver, DTYPE_f32, TENSOR_LIST(y), TENSOR_LIST(x, NULL, from.scale, from.zero), (Work){x->numel, 1},
         &j);
}

/* ---------------------------------------------------------- bytes from bytes */

static void before_requantize(Call *call, const Launch *l)
{
  (void)call;
  Job *j = l->params;
  j->from = scale_at(l, FORMS, tensor_dtype(l->x[FIRST]));
  j->to = scale_at(l, FORMS + 2, tensor_dtype(l->y[0]));
}

static void run_requantize(const Launch *l, int64_t begin, int64_t end)
{
  const Job *j = l->params;
  l->k->quantize->requantize(end - begin, operand_at(l, FIRST, begin), &j->from, &j->to, result_at(l, 0, begin));
}

void launch_requantize(Call *call, Tensor *x, ByteForm from, ByteForm to, Tensor *y)
{
  static const Driver driver = {
    .run = run_requantize, .before = before_requantize, .results = {MOVED}, .operands = THREE_FORMS};
  Job j = {.low = 0};
  launch(call, &driver, DTYPE_f32, TENSOR_LIST(y), TENSOR_LIST(x, NULL, from.scale, from.zero, to.scale, to.zero),
         (Work){x->numel, 1}, &j);
}

/* Sums: a s + b t + (zero - (a's zero s + b's t)) with s and t the scales over the result's. */
static void before_pair(Call *call, const Launch *l)
{
  (void)call;
  Job *j = l->params;
  const DType dtype = tensor_dtype(l->y[0]);
  const ByteScale a = scale_at(l, FORMS, dtype), b = scale_at(l, FORMS + 2, dtype), y = scale_at(l, FORMS + 4, dtype);
  j->pair = (BytePair){.is_signed = a.is_signed,
                       .a = a.scale * b.scale / y.scale,
                       .plus = y.zero,
                       .a_zero = a.zero,
                       .b_zero = b.zero,
                       .low = y.low + y.zero,
                       .high = y.high + y.zero};
  if (j->kind == BYTES_MUL) return;
  j->pair.a = a.scale / y.scale;
  j->pair.b = b.scale / y.scale;
  j->pair.plus = y.zero - fmaf(j->pair.a, a.zero, j->pair.b * b.zero); /* so ONNX Runtime's compiler has fused it */
}

static void run_pair(const Launch *l, int64_t begin, int64_t end)
{
  const Job *j = l->params;
  const QuantizeKernels *k = l->k->quantize;
  const uint8_t *a = operand_at(l, FIRST, begin), *b = operand_at(l, SECOND, begin);
  if (j->kind == BYTES_ADD) k->add(end - begin, a, b, &j->pair, result_at(l, 0, begin));
  else k->mul(end - begin, a, b, &j->pair, result_at(l, 0, begin));
}

void launch_byte_pair(Call *call, BytePairKind kind, Tensor *a, ByteForm of_a, Tensor *b, ByteForm of_b, ByteForm of_y,
                      Tensor *y)
{
  static const Driver driver = {.run = run_pair, .before = before_pair, .results = {MOVED}, .operands = THREE_FORMS};
  Job j = {.kind = kind};
  launch(call, &driver, DTYPE_f32, TENSOR_LIST(y),
         TENSOR_LIST(a, b, of_a.scale, of_a.zero, of_b.scale, of_b.zero, of_y.scale, of_y.zero), (Work){y->numel, 1},
         &j);
}
