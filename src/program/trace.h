/*
 * Records what a network does with example inputs, as a program. Each op that the network calls is run for real and
 * becomes a step. Tensors that were there before are parameters and buffers, where they have names, or constants; a
 * tensor that was made meanwhile by no op (nl.tensor {…}) is a constant that each run gets a copy of.
 *
 * Where only forms are recorded (core/recorder.h), inputs are of tensor_form, and no op is run for real.
 *
 * What would make the program differ from the network is an error: to read elements that depend on the inputs, to call
 * a row whose result's shape does, or to use a tensor that came from an input by a way that no op is.
 */
#ifndef NNLUA_PROGRAM_TRACE_H
#define NNLUA_PROGRAM_TRACE_H

#include "program/builder.h"

typedef struct Trace Trace;

/* A trace that records nothing yet. trace_open makes its parts; if that raises, it must still be freed. */
Trace *trace_new(Call *call, bool forms_only);
void trace_open(Call *call, Trace *t);

/* A tensor that is an input, or a parameter or buffer, by its name; to be told of before the network runs. */
void trace_input(Call *call, Trace *t, const char *name, Tensor *tensor);
void trace_named(Call *call, Trace *t, ValueKind kind, const char *name, Tensor *tensor);

/* From the one to the other all ops of the context are recorded; of the first call of `opens`, a composed row, if it
   isn't NULL, what it calls. */
void trace_begin(Trace *t, const Op *opens);
void trace_end(Trace *t);

/* A result of the network. */
void trace_output(Call *call, Trace *t, const char *name, Tensor *tensor);

/* The program; the trace is of no use then but to be freed. */
Program *trace_finish(Call *call, Trace *t);

void trace_free(Trace *t);

#endif
