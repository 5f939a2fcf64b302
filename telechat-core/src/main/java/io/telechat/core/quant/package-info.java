// SPDX-License-Identifier: Apache-2.0
/** Weights of 8 and 4 bits: from floats and back, and the activations that are multiplied with them. */
package io.telechat.core.quant;
