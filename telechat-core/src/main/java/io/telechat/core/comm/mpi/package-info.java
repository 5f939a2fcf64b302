// SPDX-License-Identifier: Apache-2.0
/**
 * MPI through the foreign-function API: Open MPI 4 and 5, and what has MPICH's binary interface. Nothing is built for it and nothing
 * is linked with it; the library is looked for when ranks are asked for.
 */
package io.telechat.core.comm.mpi;
