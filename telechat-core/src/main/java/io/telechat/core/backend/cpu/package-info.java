// SPDX-License-Identifier: Apache-2.0
/**
 * The backend for CPUs. {@link io.telechat.core.backend.cpu.CpuOps} checks shapes and splits the work; the arithmetic is in
 * {@code kernel}, and in OpenBLAS for big products. Found by {@link java.util.ServiceLoader}; nothing else may name it.
 */
package io.telechat.core.backend.cpu;
