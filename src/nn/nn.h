/* Modules: what the rest of the binding sees of them. */
#ifndef NNLUA_NN_NN_H
#define NNLUA_NN_NN_H

#include <lua.h>
#include <stdbool.h>

/*
 * Pushes where in which model the stack is, "net.encoder[3], nn.Linear", and returns true; pushes
 * nothing and returns false if no module is being called. For the texts of errors: it walks the
 * stack, so that calls themselves need not keep track. open_nn makes it binding.h's push_module_path.
 */
bool module_path(lua_State *L);

#endif
