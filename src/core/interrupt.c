/* The requests that signal handlers leave, and who may act on it. */
#include "core/interrupt.h"

#include <stddef.h>

atomic_uint requests;

static _Thread_local Context *watched;

void interrupt_watch(Context *ctx) { watched = ctx; }

Context *interrupt_target(void) { return watched && watched->entry && !watched->changes_in_place ? watched : NULL; }
