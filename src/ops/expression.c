#include "ops/expression.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/ops.h"

typedef enum Kind { NUMBER, NAME, NEGATE, BINARY_OP, CALL_OP } Kind;

struct Expression {
  Kind kind;
  double number;
  char name[24];               /* a name, an operator ("<="), or a function's op ("exp") */
  Expression *operand[3];
};

/* ------------------------------------------------------------------ parsing */

typedef struct Parser { const char *p; } Parser;

static Expression *make(Kind kind, const char *name, size_t length)
{
  Expression *e = calloc(1, sizeof *e);
  if (!e || length >= sizeof e->name) abort(); /* a row's text is wrong, or nothing works any more */
  e->kind = kind;
  memcpy(e->name, name, length);
  return e;
}

static void skip(Parser *s) { while (isspace((unsigned char)*s->p)) s->p++; }

static bool take(Parser *s, const char *token)
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
  Expression *e = make(CALL_OP, name, length);
  for (char *c = e->name; *c; c++) *c = (char)tolower((unsigned char)*c);
  for (int i = 0; i < 3; i++) {
    e->operand[i] = parse_comparison(s);
    if (!take(s, ",")) break;
  }
  if (!take(s, ")")) abort();
  return e;
}

static Expression *parse_primary(Parser *s)
{
  skip(s);
  if (take(s, "(")) {
    Expression *e = parse_comparison(s);
    if (!take(s, ")")) abort();
    return e;
  }
  if (isdigit((unsigned char)*s->p)) {
    char *end;
    Expression *e = make(NUMBER, "", 0);
    e->number = strtod(s->p, &end);
    s->p = end;
    return e;
  }
  const char *start = s->p;
  while (isalnum((unsigned char)*s->p) || *s->p == '_') s->p++;
  size_t length = (size_t)(s->p - start);
  if (length == 0) abort();
  if (take(s, "(")) return parse_call(s, start, length);
  return make(NAME, start, length);
}

static Expression *parse_unary(Parser *s)
{
  if (!take(s, "-")) return parse_primary(s);
  Expression *e = make(NEGATE, "-", 1);
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
    Expression *e = make(BINARY_OP, s->p++, 1);
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
    if (!take(s, operators[i])) continue;
    Expression *e = make(BINARY_OP, operators[i], strlen(operators[i]));
    e->operand[0] = left;
    e->operand[1] = parse_sum(s);
    return e;
  }
  return left;
}

Expression *expression_parse(const char *text)
{
  Parser s = {text};
  Expression *e = parse_comparison(&s);
  skip(&s);
  if (*s.p) {
    fprintf(stderr, "nnlua: derivative '%s' can't be read from '%s'\n", text, s.p);
    abort();
  }
  return e;
}

bool expression_mentions(const char *text, char name)
{
  for (const char *p = text; *p;) {
    size_t length = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    if (length == 1 && *p == name) return true;
    p += length ? length : 1;
  }
  return false;
}

bool expression_varies_with(const Expression *e, const char *name)
{
  if (!e) return false;
  if (e->kind == NAME) return strcmp(e->name, name) == 0;
  if (e->kind == BINARY_OP && strchr("<>=!", e->name[0])) return false;
  for (int i = strcmp(e->name, "select") == 0; i < 3; i++)
    if (expression_varies_with(e->operand[i], name)) return true;
  return false;
}

/* ------------------------------------------------------------------ running */

/* Either a tensor or, if that is NULL, a number. */
typedef struct Value { Tensor *t; Scalar s; } Value;

static Value of_tensor(Tensor *t) { return (Value){t, NO_SCALAR}; }
static Value of_number(double v)
{
  return (Value){NULL, v == (double)(int64_t)v ? scalar_int((int64_t)v) : scalar_float(v)};
}

static Tensor *as_tensor(Call *call, Value v) { return v.t ? v.t : tensor_from_number(call, v.s); }

static Value run(Call *call, const Expression *e, const Named *names);

static Value run_name(const Expression *e, const Named *names)
{
  for (; names->name; names++)
    if (strcmp(names->name, e->name) == 0) return (Value){names->tensor, names->scalar};
  abort(); /* the spec that parses all rows would have found it */
}

/* Runs a row by its name, with the operands as its first arguments and no others. */
static Tensor *run_row(Call *call, const char *row, Tensor *const *operands, int n)
{
  const Op *o = op_find(row);
  if (!o || o->kind != OP_POINTWISE) abort();
  char args[256] = {0};
  for (int i = 0; i < n; i++) memcpy(args + o->args[i].offset, &operands[i], sizeof operands[i]);
  for (int i = n; i < o->nargs; i++) {
    Scalar one = scalar_int(1); /* alpha of add and sub */
    memcpy(args + o->args[i].offset, &one, sizeof one);
  }
  Tensor *room[MAX_RESULTS];
  return dispatch(call, o, args, NULL, room).v[0];
}

static Value run_binary(Call *call, const Expression *e, const Named *names)
{
  static const char *const rows[][2] = {{"+", "add"}, {"-", "sub"}, {"*", "mul"}, {"/", "div"},
    {"<=", "le"}, {">=", "ge"}, {"==", "eq"}, {"!=", "ne"}, {"<", "lt"}, {">", "gt"}};
  Tensor *operands[2];
  for (int i = 0; i < 2; i++) operands[i] = as_tensor(call, run(call, e->operand[i], names));
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(rows[i][0], e->name) == 0) return of_tensor(run_row(call, rows[i][1], operands, 2));
  abort();
}

static Value run_call(Call *call, const Expression *e, const Named *names)
{
  Tensor *operands[3];
  int n = 0;
  for (; n < 3 && e->operand[n]; n++) operands[n] = as_tensor(call, run(call, e->operand[n], names));
  if (strcmp(e->name, "conj") == 0) return of_tensor(op(conj, operands[0]));
  if (strcmp(e->name, "select") == 0) return of_tensor(op(where, operands[0], operands[1], operands[2]));
  return of_tensor(run_row(call, e->name, operands, n));
}

static Value run(Call *call, const Expression *e, const Named *names)
{
  switch (e->kind) {
    case NUMBER: return of_number(e->number);
    case NAME: return run_name(e, names);
    case NEGATE: return of_tensor(op(neg, as_tensor(call, run(call, e->operand[0], names))));
    case BINARY_OP: return run_binary(call, e, names);
    default: return run_call(call, e, names);
  }
}

Tensor *expression_run(Call *call, const Expression *e, const Named *names)
{
  return as_tensor(call, run(call, e, names));
}
