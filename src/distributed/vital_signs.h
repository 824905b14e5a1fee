/*
 * Signs of life. Where a machine or a link is gone, MPI and its launcher wait for ever: so every process sends a sign
 * to a few others, now and then, and is missed by those if it doesn't. A sign says as well who is missed, so that all
 * hear of it.
 */
#ifndef NNLUA_DISTRIBUTED_VITAL_SIGNS_H
#define NNLUA_DISTRIBUTED_VITAL_SIGNS_H

#include "distributed/transport.h"

/* Begins to watch and to be watched. All ranks call it. */
bool vital_signs_begin(const Transport *transport, int rank, int size, char *error, size_t error_size);

/* Sends and receives what is due. */
void vital_signs_tick(double now, double patience);

/* The rank that is missed, or -1. */
int vital_signs_missing(void);

/* Says good-bye; whether all that watch and are watched have said so too. To be called again until then, for the
   others may have work yet. */
bool vital_signs_end(double now, double patience);

#endif
