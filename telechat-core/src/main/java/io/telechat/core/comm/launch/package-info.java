// SPDX-License-Identifier: Apache-2.0
/**
 * Starting ranks as processes, on this machine or on those of a {@link io.telechat.core.comm.launch.Hostfile}, and watching them: the
 * processes are {@code mpirun}'s, what they tell is read here.
 */
package io.telechat.core.comm.launch;
