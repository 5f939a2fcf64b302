// SPDX-License-Identifier: Apache-2.0
/**
 * The formulas in plain ND4J: slow on a CPU, but readable, and at home on every ND4J backend, CUDA included. Every other
 * implementation is tested against this one. Found by {@link java.util.ServiceLoader}; nothing else may name it.
 */
package io.telechat.core.backend.nd4j;
