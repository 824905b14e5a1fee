/*
 * nnlua for C hosts: opens the library in a Lua state, and hands tensors over without copying them. docs/embedding.md
 * shows how a host is built. What is declared here stays as it is within a major version; there is nothing else.
 *
 * All functions may raise Lua errors, as Lua's own do: call them within a protected call, or where you would call
 * luaL_checkstring.
 */
#ifndef NNLUA_H
#define NNLUA_H

#include <lua.h>
#include <stdint.h>

#define NNLUA_VERSION "0.1.0"
#define NNLUA_VERSION_NUMBER 100 /* major * 10000 + minor * 100 + patch */

#define NNLUA_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The structures of DLPack (https://github.com/dmlc/dlpack, Apache 2.0), through which libraries exchange tensors: its
 * format, version 0.8, which later versions keep. Its own header, included before this one, takes their place.
 */
#ifndef DLPACK_DLPACK_H_
#define DLPACK_DLPACK_H_

typedef enum { kDLCPU = 1 } DLDeviceType;

typedef enum { kDLInt = 0, kDLUInt = 1, kDLFloat = 2, kDLBfloat = 4, kDLComplex = 5, kDLBool = 6 } DLDataTypeCode;

typedef struct {
  DLDeviceType device_type;
  int32_t device_id;
} DLDevice;

/* float32 is {kDLFloat, 32, 1}. */
typedef struct {
  uint8_t code, bits;
  uint16_t lanes; /* 1 */
} DLDataType;

typedef struct {
  void *data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape;
  int64_t *strides;     /* in elements; NULL: row after row without gaps */
  uint64_t byte_offset; /* of the first element behind data */
} DLTensor;

/* A tensor with an owner; whoever has it calls the deleter once it is done. */
typedef struct DLManagedTensor {
  DLTensor dl_tensor;
  void *manager_ctx;
  void (*deleter)(struct DLManagedTensor *self);
} DLManagedTensor;

#endif

/* The version of the library that was linked, to be compared with NNLUA_VERSION_NUMBER. */
NNLUA_API int nnlua_version(void);

/*
 * Opens the library in a state: from then on `require "nnlua"` gives it. Call it right after luaL_newstate, before
 * luaL_openlibs and anything else with a finalizer: what is made first is closed last, and tensors in other finalizers
 * still need it. Calling it again does nothing.
 */
NNLUA_API void nnlua_open(lua_State *L);

/* For package loaders, require's way in: opens the library and leaves its table on the stack. */
NNLUA_API int luaopen_nnlua(lua_State *L);

/* Whether there is a tensor at an index. */
NNLUA_API int nnlua_is_tensor(lua_State *L, int index);

/*
 * Describes the tensor at an index; raises an error if something else is there. Data, shape and strides are the
 * tensor's own: they hold while it is on the stack, or elsewhere in Lua's reach, and no Lua code changes its shape. A
 * change of the data changes the tensor, unseen by automatic differentiation.
 */
NNLUA_API void nnlua_check_tensor(lua_State *L, int index, DLTensor *view);

/*
 * Pushes a tensor over memory of the host's; shape and strides are copied. When the last tensor that uses the memory is
 * gone, at some collection of garbage, release(owner, data) is called; it may be NULL, and must not call Lua. If
 * pushing raises an error, because the type or the layout is none that tensors have or memory runs out, it is not
 * called.
 */
NNLUA_API void nnlua_push_tensor(lua_State *L, const DLTensor *tensor, void (*release)(void *owner, void *data),
                                 void *owner);

/* Pushes a tensor over the memory of another library's, and calls its deleter as above. */
NNLUA_API void nnlua_push_dlpack(lua_State *L, DLManagedTensor *tensor);

/*
 * The tensor at an index for another library: it shares the memory, and stays valid until its deleter is called, after
 * lua_close too. Call that while no other thread is in the state.
 */
NNLUA_API DLManagedTensor *nnlua_to_dlpack(lua_State *L, int index);

/*
 * Reads a program from a file of ONNX and pushes it: a module of Lua, as nl.onnx.load gives it. docs/programs.md says
 * what programs are.
 */
NNLUA_API void nnlua_program_load(lua_State *L, const char *path);

/* How many inputs and outputs the program at an index has, and their names, which it keeps; i counts from 0. */
NNLUA_API int nnlua_program_inputs(lua_State *L, int index);
NNLUA_API int nnlua_program_outputs(lua_State *L, int index);
NNLUA_API const char *nnlua_program_input_name(lua_State *L, int index, int i);
NNLUA_API const char *nnlua_program_output_name(lua_State *L, int index, int i);

/*
 * Runs the program at an index on ninputs tensors of the host's, in the order of its inputs, and pushes its outputs, of
 * which it returns the number: tensors, to be described by nnlua_check_tensor or handed over by nnlua_to_dlpack. The
 * inputs' memory is read during the call only, no output shares it. No gradients are recorded, and hooks of the module
 * aren't called. Raises an error where inputs don't fit.
 */
NNLUA_API int nnlua_program_run(lua_State *L, int index, const DLTensor *inputs, int ninputs);

#ifdef __cplusplus
}
#endif

#endif
