// SPDX-License-Identifier: Apache-2.0
/** JMH benchmarks of single kernels, on one thread; whole models are timed by {@code telechat bench}. */
package io.telechat.bench;
