// SPDX-License-Identifier: Apache-2.0
/** Means, their standard errors, and what several of them make together. */
package io.telechat.eval.score;
