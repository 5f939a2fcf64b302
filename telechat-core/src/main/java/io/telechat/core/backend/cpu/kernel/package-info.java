// SPDX-License-Identifier: Apache-2.0
/**
 * Arithmetic on rows, with Java's Vector API. A kernel is a final class of static methods: no allocation that outlives the
 * call, no threads, no decisions about shapes. The order of every sum is fixed, so results do not depend on how the work is
 * split. Used by {@code backend.cpu} only.
 */
package io.telechat.core.backend.cpu.kernel;
