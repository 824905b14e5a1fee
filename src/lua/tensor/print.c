/*
 * Tensors as text: PyTorch's _tensor_str.py, to the character. A Format is chosen from the elements
 * that will be shown (of a long tensor the edges), then every number takes the same width.
 */
/* Tensors as text, as PyTorch shows them. */
#include <math.h>
#include <string.h>

#include "autograd/node.h"
#include "autograd/transform.h"
#include "core/shape.h"
#include "core/text.h"
#include "lua/autograd/hooks.h"
#include "lua/named_arguments.h"
#include "lua/open.h"

typedef struct PrintOptions {
  double threshold;
  int precision, edgeitems;
  int linewidth; /* 0: as wide as tensors usually are */
  int sci_mode;  /* -1: as the numbers ask for */
} PrintOptions;

static const PrintOptions default_options = {1000, 4, 3, 0, -1};

/* How numbers are written; a complex tensor has one for each part. */
typedef struct Format {
  bool floating, integral, scientific;
  int width;
} Format;

typedef struct Printer {
  const Tensor *t;
  PrintOptions options;
  bool summarize, complex;
  Format re, im;
  luaL_Buffer *out;
} Printer;

/* ------------------------------------------------------------------- options */

static char options_key, usual_width_key;

static PrintOptions options_of(lua_State *L)
{
  bool is_set = lua_rawgetp(L, LUA_REGISTRYINDEX, &options_key) == LUA_TUSERDATA;
  PrintOptions o = is_set ? *(const PrintOptions *)lua_touserdata(L, -1) : default_options;
  lua_pop(L, 1);
  return o;
}

/* The columns of a line: as set_printoptions says, else as the prompt does, else 80. */
static int linewidth_of(lua_State *L, const PrintOptions *o)
{
  if (o->linewidth > 0) return o->linewidth;
  int width = lua_rawgetp(L, LUA_REGISTRYINDEX, &usual_width_key) == LUA_TNUMBER ? (int)lua_tointeger(L, -1) : 80;
  lua_pop(L, 1);
  return width;
}

/* set_line_width(n): how many columns a tensor's lines have where set_printoptions doesn't say */
int print_set_line_width(lua_State *L)
{
  lua_pushinteger(L, luaL_checkinteger(L, 1));
  lua_rawsetp(L, LUA_REGISTRYINDEX, &usual_width_key);
  return 0;
}

static bool set_profile(PrintOptions *o, const char *profile)
{
  bool is_short = strcmp(profile, "short") == 0, is_full = strcmp(profile, "full") == 0;
  if (!is_short && !is_full && strcmp(profile, "default") != 0) return false;
  *o = default_options;
  if (is_short) o->precision = o->edgeitems = 2;
  if (is_full) o->threshold = HUGE_VAL;
  return true;
}

static double number_option(lua_State *L, const char *name, int index, double least, double most, double otherwise)
{
  if (lua_isnil(L, index)) return otherwise;
  double value = lua_tonumber(L, index);
  if (lua_type(L, index) != LUA_TNUMBER || !(value >= least && value <= most))
    user_error(L, "set_printoptions: argument '%s': a number from %d on expected", name, (int)least);
  return value;
}

/* nl.set_printoptions(precision, threshold, edgeitems, linewidth, profile, sci_mode) */
int nl_set_printoptions(lua_State *L)
{
  static const char *const names[] = {"precision", "threshold", "edgeitems", "linewidth", "profile", "sci_mode", NULL};
  arguments_merge(L, "set_printoptions", 1, names);
  PrintOptions o = options_of(L);
  if (!lua_isnil(L, 5) && (lua_type(L, 5) != LUA_TSTRING || !set_profile(&o, lua_tostring(L, 5))))
    return user_error(L, "set_printoptions: argument 'profile': \"default\", \"short\" or \"full\" expected");
  o.precision = (int)number_option(L, "precision", 1, 0, 64, o.precision);
  o.threshold = number_option(L, "threshold", 2, 0, HUGE_VAL, o.threshold);
  o.edgeitems = (int)number_option(L, "edgeitems", 3, 1, 1e6, o.edgeitems);
  o.linewidth = (int)number_option(L, "linewidth", 4, 1, 1e6, o.linewidth);
  o.sci_mode = lua_isnil(L, 6) ? -1 : argument_bool(L, "set_printoptions", "sci_mode", 6, false);
  *(PrintOptions *)lua_newuserdatauv(L, sizeof o, 0) = o;
  lua_rawsetp(L, LUA_REGISTRYINDEX, &options_key);
  return 0;
}

/* -------------------------------------------------------------- single numbers */

enum { NUMBER_TEXT = 400 }; /* the longest: a double's 309 digits, and 64 behind the point */

/* Writes a double as Python's "{:.4f}" and "{:.4e}" do; returns its length. */
static int float_text(char *text, double v, int precision, bool scientific)
{
  if (isnan(v)) return text_format(text, NUMBER_TEXT, "nan");
  return text_format(text, NUMBER_TEXT, scientific ? "%.*e" : "%.*f", precision, v);
}

static int element_text(char *text, const Format *f, const PrintOptions *o, Scalar v)
{
  if (v.kind == SCALAR_BOOL) return text_format(text, NUMBER_TEXT, v.i ? "True" : "False");
  if (v.kind == SCALAR_INT) return text_format(text, NUMBER_TEXT, "%lld", (long long)v.i);
  if (f->scientific) return float_text(text, v.re, o->precision, true);
  if (!f->integral) return float_text(text, v.re, o->precision, false);
  int n = float_text(text, v.re, 0, false);
  if (isfinite(v.re)) n += text_format(text + n, (size_t)(NUMBER_TEXT - n), ".");
  return n;
}

/* ------------------------------------------------------------- choosing a format */

typedef void (*Visit)(Printer *p, void *arg, Scalar v);

/* Whether only the edges of a dimension are shown. */
static bool is_cut(const Printer *p, int dim) { return p->summarize && p->t->shape[dim] > 2 * p->options.edgeitems; }

/* The position after i among those shown of a dimension. */
static int64_t next_shown(const Printer *p, int dim, int64_t i)
{
  return is_cut(p, dim) && i == p->options.edgeitems - 1 ? p->t->shape[dim] - p->options.edgeitems : i + 1;
}

static const char *element_at(const Printer *p, int dim, const char *at, int64_t i)
{
  return at + i * p->t->strides[dim] * (int64_t)dtype_size(tensor_dtype(p->t));
}

static void visit_shown(Printer *p, int dim, const char *at, Visit visit, void *arg)
{
  if (dim == p->t->ndim) {
    visit(p, arg, scalar_load(tensor_dtype(p->t), at));
    return;
  }
  for (int64_t i = 0; i < p->t->shape[dim]; i = next_shown(p, dim, i))
    visit_shown(p, dim + 1, element_at(p, dim, at, i), visit, arg);
}

/* The finite numbers among those shown, but for zeros. */
typedef struct Magnitudes {
  bool imaginary, any, integral;
  double least, most;
} Magnitudes;

static void see_magnitude(Printer *p, void *arg, Scalar v)
{
  Magnitudes *m = arg;
  double x = m->imaginary ? v.im : v.re, size = fabs(x);
  (void)p;
  if (!isfinite(x) || x == 0) return;
  if (!m->any || size < m->least) m->least = size;
  if (!m->any || size > m->most) m->most = size;
  m->any = true;
  m->integral &= x == ceil(x);
}

typedef struct Widths {
  Format *format;
  bool imaginary;
} Widths;

static void see_width(Printer *p, void *arg, Scalar v)
{
  Widths *w = arg;
  char text[NUMBER_TEXT];
  if (w->format->floating) {
    double x = w->imaginary ? v.im : v.re;
    if (!isfinite(x) || x == 0) return; /* as in PyTorch: these may stick out */
    v = scalar_float(x);
  }
  int width = element_text(text, w->format, &p->options, v);
  if (width > w->format->width) w->format->width = width;
}

static void choose_format(Printer *p, Format *f, bool imaginary)
{
  const char *data = tensor_data(p->t);
  *f = (Format){.floating = dtype_is_inexact(tensor_dtype(p->t)), .integral = true, .width = 1};
  if (f->floating) {
    Magnitudes m = {.imaginary = imaginary, .integral = true};
    visit_shown(p, 0, data, see_magnitude, &m);
    if (m.any) {
      bool asked = m.most / m.least > 1000 || m.most > 1e8 || m.least < 1e-4;
      f->integral = m.integral;
      f->scientific = p->options.sci_mode >= 0 ? p->options.sci_mode : asked;
    }
  }
  visit_shown(p, 0, data, see_width, &(Widths){f, imaginary});
}

/* ------------------------------------------------------------------- elements */

static void add_padding(luaL_Buffer *b, int n)
{
  while (n-- > 0) luaL_addchar(b, ' ');
}

static void add_newlines(Printer *p, int lines, int indent)
{
  for (int i = 0; i < lines; i++) luaL_addchar(p->out, '\n');
  add_padding(p->out, indent);
}

static void add_element(Printer *p, const char *at)
{
  char text[NUMBER_TEXT];
  Scalar v = scalar_load(tensor_dtype(p->t), at);
  int n = element_text(text, &p->re, &p->options, v);
  add_padding(p->out, p->re.width - n);
  luaL_addlstring(p->out, text, (size_t)n);
  if (!p->complex) return;
  n = element_text(text, &p->im, &p->options, scalar_float(v.im));
  if (text[0] != '-') luaL_addchar(p->out, '+');
  luaL_addlstring(p->out, text, (size_t)n);
  luaL_addchar(p->out, 'j');
}

/* The last dimension: as many to a line as fit. */
static void add_vector(Printer *p, const char *at, int indent)
{
  int dim = p->t->ndim - 1, place = 0;
  int width = p->re.width + 2 + (p->complex ? p->im.width + 1 : 0);
  int per_line = (p->options.linewidth - indent) / width;
  if (per_line < 1) per_line = 1;
  luaL_addchar(p->out, '[');
  for (int64_t i = 0, next; i < p->t->shape[dim]; i = next) {
    next = next_shown(p, dim, i);
    for (int piece = 0; piece <= (next != i + 1); piece++, place++) { /* the gap counts as an element */
      if (place > 0) luaL_addchar(p->out, ',');
      if (place > 0 && place % per_line == 0) add_newlines(p, 1, indent + 1);
      else if (place > 0) luaL_addchar(p->out, ' ');
      if (piece == 0) add_element(p, element_at(p, dim, at, i));
      else luaL_addstring(p->out, " ...");
    }
  }
  luaL_addchar(p->out, ']');
}

static void add_elements(Printer *p, int dim, const char *at, int indent)
{
  int left = p->t->ndim - dim;
  if (left == 0) {
    add_element(p, at);
    return;
  }
  if (left == 1) {
    add_vector(p, at, indent);
    return;
  }
  luaL_addchar(p->out, '[');
  for (int64_t i = 0, next; i < p->t->shape[dim]; i = next) {
    next = next_shown(p, dim, i);
    if (i > 0) {
      luaL_addchar(p->out, ',');
      add_newlines(p, left - 1, indent + 1);
    }
    add_elements(p, dim + 1, element_at(p, dim, at, i), indent + 1);
    if (next != i + 1) {
      luaL_addchar(p->out, ',');
      add_newlines(p, left - 1, indent + 1);
      luaL_addstring(p->out, "...");
    }
  }
  luaL_addchar(p->out, ']');
}

/* ------------------------------------------------------------------- suffixes */

/* What stands behind the elements: a few short texts. */
typedef struct Suffixes {
  int n;
  char text[5][512];
} Suffixes;

static void add_suffix(Suffixes *s, const char *before, const char *text, const char *after)
{
  text_format(s->text[s->n], sizeof s->text[0], "%s%s%s", before, text, after);
  s->n++;
}

/* A shape as Python writes it. */
static void size_suffix(Suffixes *s, const Tensor *t)
{
  char text[24 * MAX_DIMS] = "";
  int used = 0;
  for (int d = 0; d < t->ndim; d++)
    used += text_format(text + used, sizeof text - (size_t)used, d ? ", %lld" : "%lld", (long long)t->shape[d]);
  add_suffix(s, "size=(", text, t->ndim == 1 ? ",)" : ")");
}

/* Of a stand-in of a batch: for how many rows. */
static void rows_suffix(Suffixes *s, const Transform *batch)
{
  char rows[24];
  text_format(rows, sizeof rows, "%lld", (long long)batch->rows);
  add_suffix(s, "for each of ", rows, " rows");
}

static void find_suffixes(Suffixes *s, const Context *ctx, const Tensor *t)
{
  DType dtype = tensor_dtype(t), usual = ctx->default_dtype;
  bool is_meta = t->device == DEVICE_META;
  bool is_usual = dtype == usual || dtype == dtype_to_complex(usual) || dtype == DTYPE_i64 || dtype == DTYPE_b8;
  if (tensor_stands_in(t)) rows_suffix(s, others_of(t)->transform);
  else if (is_meta) add_suffix(s, "device='", "meta", "'");
  if (is_meta || (t->numel == 0 && t->ndim != 1)) size_suffix(s, t);
  if (is_meta || t->numel == 0 ? dtype != usual : !is_usual) add_suffix(s, "dtype=nnlua.", dtype_name(dtype), "");
}

/* The name of the node behind a tensor; "" for none. */
static void find_grad_fn(lua_State *L, Tensor *t, char *name, size_t size)
{
  name[0] = '\0';
  if (!tensor_requires_grad(t)) return;
  const Node *node = current_node(L, t);
  if (node) text_format(name, size, "%s", node_name(node));
}

/* Each suffix stays on the line unless that grows too long. */
static void add_suffixes(Printer *p, const Suffixes *s, int indent)
{
  luaL_Buffer *b = p->out;
  size_t n = luaL_bufflen(b), line = 0;
  const char *text = luaL_buffaddr(b);
  while (line < n && text[n - 1 - line] != '\n') line++;
  int used = (int)line + 2;
  for (int i = 0; i < s->n; i++) {
    int length = (int)strlen(s->text[i]);
    luaL_addchar(b, ',');
    if (used + length + 2 > p->options.linewidth) {
      add_newlines(p, 1, indent);
      used = indent + length;
    } else {
      luaL_addchar(b, ' ');
      used += length + 2;
    }
    luaL_addlstring(b, s->text[i], (size_t)length);
  }
  luaL_addchar(b, ')');
}

/* __tostring of tensors. */
int tensor_tostring(lua_State *L)
{
  static const char prefix[] = "tensor(";
  enum { INDENT = sizeof prefix - 1 };
  Context *ctx = context_of(L);
  Tensor *t = without_tangents(tensor_check(L, 1));
  Suffixes suffixes = {.n = 0};
  char grad_fn[200];
  find_suffixes(&suffixes, ctx, t);
  find_grad_fn(L, t, grad_fn, sizeof grad_fn);
  if (grad_fn[0]) add_suffix(&suffixes, "grad_fn=<", grad_fn, ">");
  else if (tensor_requires_grad(t)) add_suffix(&suffixes, "requires_grad=True", "", "");
  bool is_parameter = t->is_parameter;
  luaL_Buffer b;
  Printer p = {.options = options_of(L), .out = &b};
  p.options.linewidth = linewidth_of(L, &p.options);
  tell_reading(L, t, "tostring");
  p.t = t = push_snapshot(L, ctx, t);
  p.complex = dtype_is_complex(tensor_dtype(t));
  p.summarize = (double)t->numel > p.options.threshold;
  if (t->numel && t->device != DEVICE_META) {
    choose_format(&p, &p.re, false);
    if (p.complex) choose_format(&p, &p.im, true);
  }
  luaL_buffinit(L, &b);
  luaL_addstring(&b, is_parameter ? "Parameter containing:\n" : "");
  luaL_addstring(&b, prefix);
  if (t->device == DEVICE_META) luaL_addstring(&b, "...");
  else if (t->numel == 0) luaL_addstring(&b, "[]");
  else add_elements(&p, 0, tensor_data(t), INDENT);
  add_suffixes(&p, &suffixes, INDENT);
  luaL_pushresult(&b);
  return 1;
}
