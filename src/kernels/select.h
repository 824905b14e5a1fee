/* The choice of kernels for the machine. */
#ifndef NNLUA_KERNELS_SELECT_H
#define NNLUA_KERNELS_SELECT_H

/* Fills the tables; NNLUA_ISA pins an instruction set. Called once, before anything else. */
void kernels_select(void);

/* The name of the instruction set in use. */
const char *kernels_isa(void);

#endif
