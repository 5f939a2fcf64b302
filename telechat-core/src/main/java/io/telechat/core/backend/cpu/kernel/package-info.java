// SPDX-License-Identifier: Apache-2.0
/**
 * Arithmetic on rows, in one body per tier: {@link io.telechat.core.backend.cpu.kernel.NativeKernels} calls the C of
 * src/main/native, {@link io.telechat.core.backend.cpu.kernel.VectorKernels} is written in Java's Vector API. A kernel allocates
 * nothing that outlives the call, starts no threads, and makes no decisions about shapes. The order of every sum is fixed, so
 * results do not depend on how the work is split. Used by {@code backend.cpu} only.
 *
 * <p>Start at {@link io.telechat.core.backend.cpu.kernel.Kernels} and
 * {@link io.telechat.core.backend.cpu.kernel.GradKernels}; {@link io.telechat.core.backend.cpu.kernel.KernelTiers} chooses.
 */
package io.telechat.core.backend.cpu.kernel;
