// SPDX-License-Identifier: Apache-2.0
/** The tasks of EleutherAI's lm-evaluation-harness 0.4.13: its prompts, its ways to read answers, its scores. */
package io.telechat.eval.lmeval;
