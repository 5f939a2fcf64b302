// SPDX-License-Identifier: Apache-2.0
/**
 * Ranks that compute together: {@link io.telechat.core.comm.Communicator} has the collective operations and says what they mean,
 * a {@link io.telechat.core.comm.Transport} carries bytes. Transports are threads of one process and MPI.
 * Tensors in the memory of devices are the business of {@link io.telechat.core.comm.DeviceCollectives}, which their backend has.
 */
package io.telechat.core.comm;
