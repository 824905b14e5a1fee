/*
 * A transport over MPI, built once for each MPI that the machine has: OpenMPI and MPICH have the same functions, but
 * other types behind their names. Everything that waits is nonblocking, so that whoever waits can do so with a
 * deadline; the rest (joining, making groups, leaving) is called when all ranks are known to be there.
 */
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/half.h"
#include "distributed/transport.h"

static MPI_Comm groups[MOST_GROUPS]; /* by their numbers */
static int ngroups;
static MPI_Op half_operations[2][MAXIMUM + 1]; /* of float16 and of bfloat16 */
static MPI_Op float_orders[2][2];              /* the lesser and the greater of float32 and of float64 */

/* Adds to a text what fits. */
static void append(char *text, size_t size, const char *more)
{
  size_t n = strlen(text), m = strlen(more);
  if (m > size - n - 1) m = size - n - 1;
  memcpy(text + n, more, m);
  text[n + m] = '\0';
}

static bool say(char *error, size_t size, const char *what, int code)
{
  char text[MPI_MAX_ERROR_STRING];
  int length, kind; /* of an error: its own text may be several lines long */
  error[0] = '\0';
  append(error, size, what);
  if (code != MPI_SUCCESS && MPI_Error_class(code, &kind) == MPI_SUCCESS
      && MPI_Error_string(kind, text, &length) == MPI_SUCCESS) {
    append(error, size, ": ");
    append(error, size, text);
  }
  return false;
}

/* -------------------------------------------------------- what MPI computes */

/* MPI has no halves: they travel as two bytes, and are combined in float32, each result rounded. */
typedef float CombineFloats(float a, float b);
static float add_floats(float a, float b) { return a + b; }
static float multiply_floats(float a, float b) { return a * b; }
static float lesser_float(float a, float b) { return a < b || a != a ? a : b; }
static float greater_float(float a, float b) { return a > b || a != a ? a : b; }

static void combine_float16(const uint16_t *in, uint16_t *in_out, int n, CombineFloats *combine)
{
  for (int i = 0; i < n; i++) in_out[i] = float_to_half(combine(half_to_float(in[i]), half_to_float(in_out[i])));
}

static void combine_bfloat16(const uint16_t *in, uint16_t *in_out, int n, CombineFloats *combine)
{
  for (int i = 0; i < n; i++)
    in_out[i] = float_to_bfloat16(combine(bfloat16_to_float(in[i]), bfloat16_to_float(in_out[i])));
}

#define HALF_OPERATION(type, name, function)                                        \
  static void type##_##name(void *in, void *in_out, int *n, MPI_Datatype *datatype) \
  {                                                                                 \
    (void)datatype;                                                                 \
    combine_##type(in, in_out, *n, function);                                       \
  }
#define HALF_OPERATIONS(type)                    \
  HALF_OPERATION(type, sum, add_floats)          \
  HALF_OPERATION(type, product, multiply_floats) \
  HALF_OPERATION(type, minimum, lesser_float)    \
  HALF_OPERATION(type, maximum, greater_float)
HALF_OPERATIONS(float16)
HALF_OPERATIONS(bfloat16)

static void make_half_operations(void)
{
  static MPI_User_function *const functions[2][MAXIMUM + 1] = {
    {[SUM] = float16_sum, [PRODUCT] = float16_product, [MINIMUM] = float16_minimum, [MAXIMUM] = float16_maximum},
    {[SUM] = bfloat16_sum, [PRODUCT] = bfloat16_product, [MINIMUM] = bfloat16_minimum, [MAXIMUM] = bfloat16_maximum},
  };
  for (int type = 0; type < 2; type++)
    for (int op = 0; op <= MAXIMUM; op++) MPI_Op_create(functions[type][op], 1, &half_operations[type][op]);
}

/* MPI's own leave it open what a NaN gives: here one is the result, as of PyTorch's minimum and maximum. */
#define ORDER(type, name, lesser)                                                   \
  static void type##_##name(void *in, void *in_out, int *n, MPI_Datatype *datatype) \
  {                                                                                 \
    const type *a = in;                                                             \
    type *b = in_out;                                                               \
    (void)datatype;                                                                 \
    for (int i = 0; i < *n; i++)                                                    \
      if (a[i] lesser b[i] || a[i] != a[i]) b[i] = a[i];                            \
  }
ORDER(float, minimum, <)
ORDER(float, maximum, >)
ORDER(double, minimum, <)
ORDER(double, maximum, >)

static void make_float_orders(void)
{
  static MPI_User_function *const functions[2][2] = {{float_minimum, float_maximum}, {double_minimum, double_maximum}};
  for (int type = 0; type < 2; type++)
    for (int op = 0; op < 2; op++) MPI_Op_create(functions[type][op], 1, &float_orders[type][op]);
}

static MPI_Datatype datatype_of(DType dtype)
{
  switch (dtype) {
    case DTYPE_b8:
    case DTYPE_u8: return MPI_UINT8_T;
    case DTYPE_i8: return MPI_INT8_T;
    case DTYPE_i16: return MPI_INT16_T;
    case DTYPE_i32: return MPI_INT32_T;
    case DTYPE_i64: return MPI_INT64_T;
    case DTYPE_f16:
    case DTYPE_bf16: return MPI_UINT16_T;
    case DTYPE_f32: return MPI_FLOAT;
    case DTYPE_f64: return MPI_DOUBLE;
    case DTYPE_c64: return MPI_C_FLOAT_COMPLEX;
    case DTYPE_c128: return MPI_C_DOUBLE_COMPLEX;
    default: return MPI_DATATYPE_NULL;
  }
}

/* Of truth values a sum is true where one is, a product where all are. */
static MPI_Op operation_of(DType dtype, Reduction reduction)
{
  if ((dtype == DTYPE_f16 || dtype == DTYPE_bf16) && reduction <= MAXIMUM)
    return half_operations[dtype == DTYPE_bf16][reduction];
  if ((dtype == DTYPE_f32 || dtype == DTYPE_f64) && (reduction == MINIMUM || reduction == MAXIMUM))
    return float_orders[dtype == DTYPE_f64][reduction == MAXIMUM];
  const bool is_truth = dtype == DTYPE_b8;
  switch (reduction) {
    case SUM: return is_truth ? MPI_MAX : MPI_SUM;
    case PRODUCT: return is_truth ? MPI_MIN : MPI_PROD;
    case MINIMUM: return MPI_MIN;
    case MAXIMUM: return MPI_MAX;
    case BAND: return MPI_BAND;
    case BOR: return MPI_BOR;
    case BXOR: return MPI_BXOR;
    default: return MPI_OP_NULL;
  }
}

/* ----------------------------------------------------------------- transfers */

/* What is kept of a transfer that runs. */
typedef struct Running {
  MPI_Request request;
  MPI_Datatype type; /* of a message that is received, else MPI_DATATYPE_NULL */
  int count;         /* of the elements that are wanted of it */
  int *numbers;      /* ALL_TO_ALL's counts and where they begin, which MPI reads till the end */
} Running;

/* from_counts, where they begin, to_counts, where they begin. */
static int *all_to_all_numbers(const Transfer *t, int size)
{
  int *numbers = malloc(4 * (size_t)size * sizeof *numbers);
  if (!numbers) return NULL;
  for (int side = 0; side < 2; side++) {
    const int *counts = side ? t->to_counts : t->from_counts;
    int *own = numbers + 2 * side * size;
    for (int i = 0, at = 0; i < size; at += counts[i++]) {
      own[i] = counts[i];
      own[size + i] = at;
    }
  }
  return numbers;
}

static int start_all_to_all(const Transfer *t, Running *r, MPI_Comm comm)
{
  int size;
  const MPI_Datatype type = datatype_of(t->dtype);
  MPI_Comm_size(comm, &size);
  const int *n = r->numbers = all_to_all_numbers(t, size);
  if (!n) return MPI_ERR_NO_MEM;
  return MPI_Ialltoallv(t->from, n, n + size, type, t->to, n + 2 * size, n + 3 * size, type, comm, &r->request);
}

static int start_transfer(const Transfer *t, Running *r, MPI_Comm comm)
{
  const MPI_Datatype type = datatype_of(t->dtype);
  const int n = (int)t->count;
  MPI_Request *request = &r->request;
  const void *from = t->from == t->to ? MPI_IN_PLACE : t->from;
  const MPI_Op op = operation_of(t->dtype, t->reduction);
  int rank;
  MPI_Comm_rank(comm, &rank);
  switch (t->kind) {
    case BARRIER: return MPI_Ibarrier(comm, request);
    case BROADCAST: return MPI_Ibcast(t->to, n, type, t->peer, comm, request);
    case ALL_REDUCE: return MPI_Iallreduce(from, t->to, n, type, op, comm, request);
    case REDUCE: return MPI_Ireduce(rank == t->peer ? from : t->from, t->to, n, type, op, t->peer, comm, request);
    case ALL_GATHER: return MPI_Iallgather(t->from, n, type, t->to, n, type, comm, request);
    case GATHER: return MPI_Igather(t->from, n, type, t->to, n, type, t->peer, comm, request);
    case SCATTER: return MPI_Iscatter(t->from, n, type, t->to, n, type, t->peer, comm, request);
    case REDUCE_SCATTER: return MPI_Ireduce_scatter_block(t->from, t->to, n, type, op, comm, request);
    case ALL_TO_ALL: return start_all_to_all(t, r, comm);
    case SEND: return MPI_Isend(t->from, n, type, t->peer, t->tag, comm, request);
    case RECEIVE:
      return MPI_Irecv(t->to, n, type, t->peer == ANY_PEER ? MPI_ANY_SOURCE : t->peer, t->tag, comm, request);
  }
  return MPI_ERR_ARG;
}

static void forget(Running *r)
{
  free(r->numbers);
  free(r);
}

static bool mpi_start(const Transfer *t, void **request, char *error, size_t error_size)
{
  if (t->count > INT_MAX) return say(error, error_size, "MPI takes at most 2147483647 elements at once", MPI_SUCCESS);
  Running *r = calloc(1, sizeof *r);
  if (!r) return say(error, error_size, "not enough memory", MPI_SUCCESS);
  r->type = t->kind == RECEIVE ? datatype_of(t->dtype) : MPI_DATATYPE_NULL;
  r->count = (int)t->count;
  int code = start_transfer(t, r, groups[t->group]);
  if (code != MPI_SUCCESS) {
    forget(r);
    return say(error, error_size, "MPI can't begin it", code);
  }
  *request = r;
  return true;
}

static TransferState mpi_test(void **request, int *peer, char *error, size_t error_size)
{
  Running *r = *request;
  MPI_Status status;
  int done = 0;
  int code = MPI_Test(&r->request, &done, &status);
  if (code == MPI_SUCCESS && !done) return TRANSFER_RUNS;
  int got = r->count;
  if (code == MPI_SUCCESS && r->type != MPI_DATATYPE_NULL) MPI_Get_count(&status, r->type, &got);
  const bool is_short = got != r->count;
  forget(r);
  *request = NULL;
  if (code != MPI_SUCCESS) {
    say(error, error_size, "MPI says", code);
    return TRANSFER_FAILED;
  }
  if (is_short) {
    say(error, error_size, "the message has fewer elements than the tensor, or another dtype", MPI_SUCCESS);
    return TRANSFER_FAILED;
  }
  *peer = status.MPI_SOURCE;
  return TRANSFER_DONE;
}

static void mpi_cancel(void *request)
{
  Running *r = request;
  MPI_Cancel(&r->request);
  MPI_Request_free(&r->request);
  forget(r);
}

/* -------------------------------------------------------------------- groups */

static int keep_group(MPI_Comm comm)
{
  groups[ngroups] = comm;
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  return ngroups++;
}

static int make_group(const int *ranks, int n, MPI_Comm *comm)
{
  MPI_Group world, some;
  if (!ranks) return MPI_Comm_dup(MPI_COMM_WORLD, comm);
  MPI_Comm_group(MPI_COMM_WORLD, &world);
  int code = MPI_Group_incl(world, n, ranks, &some);
  MPI_Group_free(&world);
  if (code != MPI_SUCCESS) return code;
  code = MPI_Comm_create_group(MPI_COMM_WORLD, some, 0, comm);
  MPI_Group_free(&some);
  return code;
}

static int mpi_new_group(const int *ranks, int n, char *error, size_t error_size)
{
  MPI_Comm comm;
  int code = MPI_SUCCESS;
  if (ngroups < MOST_GROUPS && (code = make_group(ranks, n, &comm)) == MPI_SUCCESS) return keep_group(comm);
  say(error, error_size, ngroups < MOST_GROUPS ? "MPI can't make the group" : "there are too many groups", code);
  return -1;
}

/* ---------------------------------------------------------- joining, leaving */

/*
 * OpenMPI's settings, where the user has none. A look at a transfer doesn't offer the processor to others, which its
 * launcher wants where there are more processes than processors: the messenger sleeps between looks. Sums go halved to
 * each other and come together again (R. Rabenseifner, "Optimization of Collective Reduction Operations", 2004): up a
 * tree and down again, as is the default for sums in place, twice as many bytes are on their way, one behind the other.
 */
static void prepare_openmpi(void)
{
  setenv("OMPI_MCA_mpi_yield_when_idle", "0", 0);
  setenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm", "3", 0);
}

static bool mpi_open(int *rank, int *size, char *error, size_t error_size)
{
  prepare_openmpi();
  int level, code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
  if (code != MPI_SUCCESS) return say(error, error_size, "MPI can't begin", code);
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  MPI_Comm_size(MPI_COMM_WORLD, size);
  make_half_operations();
  make_float_orders();
  /* MPICH takes their buffers away, and its launcher marks each piece of a line with the rank. */
  static char out[BUFSIZ], err[BUFSIZ];
  setvbuf(stdout, out, _IOLBF, sizeof out);
  setvbuf(stderr, err, _IOLBF, sizeof err);
  return keep_group(MPI_COMM_WORLD) == WORLD;
}

/* What MPI says of itself, up to the end of the first line or a comma: "Open MPI v4.1.4". */
static void mpi_describe(char *text, size_t size)
{
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(version, &length);
  version[strcspn(version, ",\n")] = '\0';
  for (char *c = version; *c; c++)
    if (*c == '\t') *c = ' ';
  text[0] = '\0';
  append(text, size, version);
}

static void mpi_close(void)
{
  for (int type = 0; type < 2; type++)
    for (int op = 0; op <= MAXIMUM; op++) MPI_Op_free(&half_operations[type][op]);
  for (int type = 0; type < 2; type++)
    for (int op = 0; op < 2; op++) MPI_Op_free(&float_orders[type][op]);
  for (int i = WORLD + 1; i < ngroups; i++) MPI_Comm_free(&groups[i]);
  MPI_Finalize();
}

TransportFunction nnlua_transport;

__attribute__((visibility("default"))) const Transport *nnlua_transport(void)
{
  static const Transport transport = {
    .form = TRANSPORT_FORM,
    .open = mpi_open,
    .describe = mpi_describe,
    .start = mpi_start,
    .test = mpi_test,
    .cancel = mpi_cancel,
    .new_group = mpi_new_group,
    .close = mpi_close,
  };
  return &transport;
}
