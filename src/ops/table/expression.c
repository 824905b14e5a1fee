#include "ops/table/expression.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "ops/index/mask.h"
#include "ops/math/arithmetic.h"
#include "ops/shape/copy.h"

typedef enum Kind { NUMBER, NAME, NEGATE, BINARY_OP, CALL_OP } Kind;

enum { MOST_OPERANDS = 6, ARGS_SIZE = 256 };

struct Expression {
  Kind kind;
  double number;
  char name[24]; /* a name, an operator ("<="), or a function's op ("exp") */
  const Op *op;  /* the row of an operator or a function; NULL: SELECT and CONJ */
  Expression *operand[MOST_OPERANDS];
};

/* ------------------------------------------------------------------ parsing */

typedef struct Parser {
  const Op *o;
  const char *text, *p;
} Parser;

/* A row is wrong: nothing can be done but to say where. */
static _Noreturn void reject(const Parser *s, const char *what, const char *which)
{
  fprintf(stderr, "nnlua: row %s: in the derivative '%s' %s %s\n", s->o->row, s->text, what, which);
  abort();
}

static Expression *make(const Parser *s, Kind kind, const char *name, size_t length)
{
  Expression *e = calloc(1, sizeof *e);
  if (!e) abort();
  if (length >= sizeof e->name) reject(s, "a name is too long:", name);
  e->kind = kind;
  memcpy(e->name, name, length);
  return e;
}

static void skip(Parser *s)
{
  while (is_space(*s->p)) s->p++;
}

static bool take_token(Parser *s, const char *token)
{
  skip(s);
  size_t n = strlen(token);
  if (strncmp(s->p, token, n) != 0) return false;
  s->p += n;
  return true;
}

static Expression *parse_comparison(Parser *s);

static Expression *parse_call(Parser *s, const char *name, size_t length)
{
  Expression *e = make(s, CALL_OP, name, length);
  for (char *c = e->name; *c; c++)
    if (is_upper(*c)) *c = (char)(*c - 'A' + 'a');
  for (int i = 0; i < MOST_OPERANDS; i++) {
    e->operand[i] = parse_comparison(s);
    if (!take_token(s, ",")) break;
  }
  if (!take_token(s, ")")) reject(s, "a ) is missing before", s->p);
  return e;
}

/* The number behind "NUM(", and the parenthesis. */
static Expression *parse_number(Parser *s)
{
  char *end;
  Expression *e = make(s, NUMBER, "", 0);
  e->number = number_from_text(s->p, &end);
  s->p = end;
  if (!take_token(s, ")")) reject(s, "a ) is missing before", s->p);
  return e;
}

static Expression *parse_primary(Parser *s)
{
  skip(s);
  if (take_token(s, "(")) {
    Expression *e = parse_comparison(s);
    if (!take_token(s, ")")) reject(s, "a ) is missing before", s->p);
    return e;
  }
  if (is_digit(*s->p)) {
    char *end;
    Expression *e = make(s, NUMBER, "", 0);
    e->number = number_from_text(s->p, &end);
    s->p = end;
    return e;
  }
  if (take_token(s, "NUM(")) return parse_number(s);
  const char *start = s->p;
  while (is_letter(*s->p) || is_digit(*s->p) || *s->p == '_') s->p++;
  size_t length = (size_t)(s->p - start);
  if (length == 0) reject(s, "an operand is missing before", s->p);
  if (take_token(s, "(")) return parse_call(s, start, length);
  return make(s, NAME, start, length);
}

static Expression *parse_unary(Parser *s)
{
  if (!take_token(s, "-")) return parse_primary(s);
  Expression *e = make(s, NEGATE, "-", 1);
  e->operand[0] = parse_unary(s);
  return e;
}

/* A level of binary operators, of one character each, left to right. */
static Expression *parse_level(Parser *s, const char *operators, Expression *(*next)(Parser *))
{
  Expression *left = next(s);
  for (;;) {
    skip(s);
    if (!*s->p || !strchr(operators, *s->p)) return left;
    Expression *e = make(s, BINARY_OP, s->p++, 1);
    e->operand[0] = left;
    e->operand[1] = next(s);
    left = e;
  }
}

static Expression *parse_product(Parser *s) { return parse_level(s, "*/", parse_unary); }
static Expression *parse_sum(Parser *s) { return parse_level(s, "+-", parse_product); }

static Expression *parse_comparison(Parser *s)
{
  static const char *operators[] = {"<=", ">=", "==", "!=", "<", ">"};
  Expression *left = parse_sum(s);
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    if (!take_token(s, operators[i])) continue;
    Expression *e = make(s, BINARY_OP, operators[i], strlen(operators[i]));
    e->operand[0] = left;
    e->operand[1] = parse_sum(s);
    return e;
  }
  return left;
}

/* ----------------------------------------------------------------- checking */

static bool is_parameter(const Op *o, const char *name)
{
  for (int i = o->pointwise->arity; i < o->nargs; i++)
    if (strcmp(o->args[i].name, name) == 0) return true;
  return false;
}

static bool is_operand(const Op *o, const char *name)
{
  if (strcmp(name, "dy") == 0 || strcmp(name, "y") == 0) return true;
  return name[0] && !name[1]
         && strchr(o->pointwise->arity == 1   ? "x"
                   : o->pointwise->arity == 2 ? "ab"
                                              : "abc",
                   name[0]);
}

static const Op *operator_row(const char *operator)
{
  static const char *const rows[][2] = {{"+", "add"}, {"-", "sub"}, {"*", "mul"}, {"/", "div"}, {"<=", "le"},
                                        {">=", "ge"}, {"==", "eq"}, {"!=", "ne"}, {"<", "lt"},  {">", "gt"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(rows[i][0], operator) == 0) return op_find(rows[i][1]);
  return NULL;
}

/* Whether numbers and parameters are all that it is made of. */
static bool is_number(const Parser *s, const Expression *e)
{
  if (e->kind == NAME) return is_parameter(s->o, e->name);
  if (e->kind != NUMBER && e->kind != BINARY_OP) return false;
  for (int i = 0; i < MOST_OPERANDS && e->operand[i]; i++)
    if (!is_number(s, e->operand[i])) return false;
  return true;
}

/* A function's first arguments are the operands of its row; further ones are parameters, so they must be numbers. */
static void check_call(const Parser *s, Expression *e, int n)
{
  bool is_select = strcmp(e->name, "select") == 0;
  if (is_select || strcmp(e->name, "conj") == 0) {
    if (n != (is_select ? 3 : 1)) reject(s, "another number of operands is wanted by", e->name);
    return;
  }
  e->op = op_find(e->name);
  if (!e->op || e->op->kind != OP_POINTWISE) reject(s, "there is a function that is no pointwise row:", e->name);
  if (n < e->op->pointwise->arity || n > e->op->nargs) reject(s, "another number of operands is wanted by", e->name);
  for (int i = e->op->pointwise->arity; i < e->op->nargs; i++) {
    const Expression *given = i < n ? e->operand[i] : NULL;
    if (!given && e->op->args[i].required) reject(s, "a parameter is missing of", e->name);
    if (given && !is_number(s, given)) reject(s, "a parameter is no number of", e->name);
  }
  if (e->op->args_size > ARGS_SIZE) reject(s, "there are too many parameters of", e->name);
}

/* Finds the rows of functions and operators, and rejects what can't be run. */
static void resolve(const Parser *s, Expression *e)
{
  int n = 0;
  for (; n < MOST_OPERANDS && e->operand[n]; n++) resolve(s, e->operand[n]);
  if (e->kind == NAME && !is_operand(s->o, e->name) && !is_parameter(s->o, e->name))
    reject(s, "there is an unknown name:", e->name);
  if (e->kind == BINARY_OP) e->op = operator_row(e->name);
  if (e->kind == CALL_OP) check_call(s, e, n);
}

static Expression *parse(const Op *o, const char *text)
{
  Parser s = {o, text, text};
  Expression *e = parse_comparison(&s);
  skip(&s);
  if (*s.p) reject(&s, "can't be read:", s.p);
  resolve(&s, e);
  return e;
}

/* Whether the expression's value changes with a name's value other than by comparisons. */
static bool varies_with(const Expression *e, const char *name)
{
  if (!e) return false;
  if (e->kind == NAME) return strcmp(e->name, name) == 0;
  if (e->kind == BINARY_OP && strchr("<>=!", e->name[0])) return false;
  for (int i = strcmp(e->name, "select") == 0; i < MOST_OPERANDS; i++)
    if (varies_with(e->operand[i], name)) return true;
  return false;
}

static ParsedDerivative *new_derivative(const Op *o, int i)
{
  const int arity = o->pointwise->arity;
  const char *names = arity == 1 ? "x" : "abc";
  ParsedDerivative *d = calloc(1, sizeof *d);
  if (!d) abort();
  d->expression = parse(o, o->pointwise->derivative[i]);
  for (int k = 0; k <= arity && !(o->forms & CHOOSES); k++) {
    bool is_result = k == arity;
    const char name[] = {is_result ? 'y' : names[k], 0};
    uint32_t bit = is_result ? result_bit(0) : argument_bit(k);
    if (op_plan(o)->needs[i] & bit && !varies_with(d->expression, name)) d->compared |= bit;
  }
  return d;
}

const ParsedDerivative *derivative_of(const Op *o, int i)
{
  static pthread_mutex_t parsing = PTHREAD_MUTEX_INITIALIZER; /* other states may want it in their threads */
  _Atomic(const ParsedDerivative *) *place = &op_plan(o)->as_parsed[i];
  const ParsedDerivative *d = atomic_load_explicit(place, memory_order_acquire);
  if (d) return d;
  pthread_mutex_lock(&parsing);
  d = atomic_load_explicit(place, memory_order_relaxed);
  if (!d) {
    d = new_derivative(o, i);
    atomic_store_explicit(place, d, memory_order_release);
  }
  pthread_mutex_unlock(&parsing);
  return d;
}

/* ------------------------------------------------------------------ running */

/* Either a tensor or, if that is NULL, a number. */
typedef struct Value {
  Tensor *t;
  Scalar s;
} Value;

static Value of_tensor(Tensor *t) { return (Value){t, NO_SCALAR}; }
static Value of_number(double v) { return (Value){NULL, v == floor(v) ? scalar_int((int64_t)v) : scalar_float(v)}; }

static Tensor *as_tensor(Call *call, Value v) { return v.t ? v.t : tensor_from_number(call, v.s); }

static Value run_expression(Call *call, const Expression *e, const Named *names);

static Value run_name(const Expression *e, const Named *names)
{
  for (; names->name; names++)
    if (strcmp(names->name, e->name) == 0) return (Value){names->tensor, names->scalar};
  abort(); /* not reached: names have been checked */
}

/* Runs a row: operands, then parameters, those that aren't given with their defaults. */
static Value run_row_of(Call *call, const Expression *e, const Named *names)
{
  _Alignas(max_align_t) char args[ARGS_SIZE];
  for (int i = 0; i < e->op->nargs; i++) {
    const ArgSpec *spec = &e->op->args[i];
    bool given = i < MOST_OPERANDS && e->operand[i];
    Value v = given ? run_expression(call, e->operand[i], names) : (Value){NULL, scalar_from_text(spec->default_text)};
    if (i < e->op->pointwise->arity) *(Tensor **)(void *)(args + spec->offset) = as_tensor(call, v);
    else if (spec->kind == ARG_BOOL) args[spec->offset] = 0;
    else *(Scalar *)(void *)(args + spec->offset) = v.t ? tensor_number(v.t) : v.s;
  }
  Tensor *room[MAX_RESULTS];
  return of_tensor(dispatch(call, e->op, args, NULL, room).v[0]);
}

static Value run_call(Call *call, const Expression *e, const Named *names)
{
  if (e->op) return run_row_of(call, e, names);
  Tensor *operands[3] = {NULL};
  for (int i = 0; i < 3 && e->operand[i]; i++)
    operands[i] = as_tensor(call, run_expression(call, e->operand[i], names));
  if (operands[1]) return of_tensor(op(where, operands[0], operands[1], operands[2]));
  return of_tensor(op(conj, operands[0]));
}

static Value run_expression(Call *call, const Expression *e, const Named *names)
{
  switch (e->kind) {
    case NUMBER: return of_number(e->number);
    case NAME: return run_name(e, names);
    case NEGATE: return of_tensor(op(neg, as_tensor(call, run_expression(call, e->operand[0], names))));
    case BINARY_OP: return run_row_of(call, e, names);
    default: return run_call(call, e, names);
  }
}

Tensor *expression_run(Call *call, const Expression *e, const Named *names)
{
  return as_tensor(call, run_expression(call, e, names));
}
