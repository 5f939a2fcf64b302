// SPDX-License-Identifier: Apache-2.0
/** The benchmarks as OpenCompass puts them: every question is a conversation, every answer a text in which the choice is looked for. */
package io.telechat.eval.opencompass;
