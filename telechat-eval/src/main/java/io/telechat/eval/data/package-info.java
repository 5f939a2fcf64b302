// SPDX-License-Identifier: Apache-2.0
/** The files in which benchmarks are published, and the random numbers with which their harnesses draw. */
package io.telechat.eval.data;
