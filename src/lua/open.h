/*
 * What the files of the binding give to open.c and tensor/tensor.c, which make the tables of the API of them. Lists of
 * functions end with a row of NULLs.
 */
#ifndef NNLUA_LUA_OPEN_H
#define NNLUA_LUA_OPEN_H

#include "lua/binding.h"

/* ------------------------------------------------------------------- for nl */

extern const luaL_Reg creation_functions[], /* tensor/from_lua.c: tensor, as_tensor */
  question_functions[],                     /* tensor/questions.c: is_tensor, numel, … */
  comparison_functions[],                   /* tensor/compare.c: equal, allclose; methods as well */
  memory_functions[],    /* memory_stats.c: memory_allocated and its kin, and what the specs need to see of the core */
  promotion_functions[], /* tensor/promotion.c: promote_types, result_type, can_cast */
  time_functions[],      /* time.c: time, time_ns */
  settings_functions[],  /* settings.c: threads, the default dtype and device */
  kept_settings[];       /* settings.c: what is only kept, in a table that is their first upvalue */

int nl_tensor(lua_State *L);
int nl_frombuffer(lua_State *L);
int nl_broadcast_shapes(lua_State *L);
int nl_set_printoptions(lua_State *L);
int print_set_line_width(lua_State *L); /* set_line_width(n), of nnlua.system */
int nl_ops(lua_State *L);

/* Sets the dtypes and nl.none in the table on top of the stack. */
void open_dtypes(lua_State *L);

/* Sets Tensor, FloatTensor and so on in the table on top of the stack. */
void open_tensor_types(lua_State *L);

/* Sets nl.device in the table on top of the stack. */
void open_devices(lua_State *L);

/* Sets Generator, manual_seed, seed, initial_seed, get_rng_state and set_rng_state in the table on top. */
void open_generator(lua_State *L);

/* Makes the metatable of Sizes and pushes nl.Size, which makes one from a table or numbers. */
void open_size(lua_State *L);

/* Push nl.newaxis and nl.ellipsis, which stand among indices for a dimension of size 1, and for all that are left. */
void push_newaxis(lua_State *L);
void push_ellipsis(lua_State *L);

/* -------------------------------------------------------------- for tensors */

/* A field of a tensor that is worked out when it is read: x.shape, x.grad. */
typedef struct Property {
  const char *name;
  void (*get)(lua_State *L, int tensor_index);                  /* pushes one value */
  void (*set)(lua_State *L, int tensor_index, int value_index); /* NULL: can't be set */
} Property;

extern const Property gradient_properties[]; /* autograd/gradient_fields.c: grad and its kin */

extern const luaL_Reg creation_methods[], /* tensor/from_lua.c: new_tensor, new */
  element_methods[],                      /* tensor/to_lua.c: item, tolist, tobytes */
  resize_methods[],                       /* tensor/resize.c: resize_, resize_as_ */
  question_methods[];                     /* tensor/questions.c: size, stride, … */

int tensor_new_like(lua_State *L); /* tensor/types.c: x:new(…) */
int tensor_type(lua_State *L);     /* tensor/types.c: x:type(…) */
int tensor_tostring(lua_State *L);

/* x[index] and x[index] = value for every index but a string: the tensor is at 1, the index at 2, the value at 3. */
int tensor_get_item(lua_State *L);
int tensor_set_item(lua_State *L);

/*
 * Makes nl.autograd, and no_grad and its kin, in the table at `nl`, adds methods of tensors to the one at `members`,
 * and sets the core's callbacks.
 */
void open_autograd(lua_State *L, int nl, int members);

/* nnlua.func.core (autograd/transform.c) */
int open_func_core(lua_State *L);

/* nnlua.profiler.core (profiler.c) */
int open_profiler_core(lua_State *L);

/* nnlua.program.core (program.c), of which parts are in program/builder.c, program/trace.c and
   program/contents.c */
int open_program_core(lua_State *L);
extern const luaL_Reg program_builder_functions[], program_trace_functions[], program_contents_functions[];

/* nnlua.distributed.core (distributed.c) */
int open_distributed_core(lua_State *L);

/* -------------------------------------- for nnlua.system and nnlua.nn.core */

extern const luaL_Reg terminal_functions[], /* terminal.c: what the terminal is like, and a clock */
  loop_functions[],                         /* loop.c: loops over objects; for nnlua.nn.core */
  number_text_functions[],                  /* number_text.c: numbers as texts and back; for nnlua.nn.core */
  source_functions[],                       /* files/source.c: bytes of files, and tensors of them */
  pickle_functions[],                       /* files/unpickle.c: Python's pickles */
  archive_functions[],                      /* files/archives.c: zip, npy, storages */
  tensor_file_functions[],                  /* files/tensor_files.c: what nl.save and nl.load are built on */
  file_byte_functions[],                    /* files/file_bytes.c: the bytes of files, names in folders */
  picture_functions[],                      /* files/pictures.c: pictures as tensors */
  drawing_functions[],                      /* files/drawing.c: pictures that are drawn */
  wire_functions[],                         /* files/wire.c: messages of Protocol Buffers, and tensors of ONNX */
  worker_functions[],                       /* worker.c: processes that load data */
  interrupt_functions[];                    /* interrupt.c: Ctrl-C that is only noted */

int monotonic_clock(lua_State *L); /* time.c: clock(), the seconds that went by since some time in the past */
int read_csv(lua_State *L);
int read_json(lua_State *L);
int check_path(lua_State *L);
int checked_device(
  lua_State *L); /* tensor/device.c: checked_device(function, value), the device or an error of a function */
int embedded_source(lua_State *L);

/* In src/nn, below: pushes the table of C functions that lua/nnlua/nn builds on. */
int open_nn(lua_State *L);

#endif
