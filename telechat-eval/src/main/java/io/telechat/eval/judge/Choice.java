// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

/** Which of two answers is better, by the names under which the judge sees them. */
enum Choice {
    A,
    B,
    TIE
}
