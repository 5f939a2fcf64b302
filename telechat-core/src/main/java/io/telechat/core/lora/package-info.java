// SPDX-License-Identifier: Apache-2.0
/**
 * Low-rank adapters (Hu et al. 2021, arXiv:2106.09685): what is in PEFT's files, which weights of a model it belongs to, and
 * how it takes part in its products.
 */
package io.telechat.core.lora;
