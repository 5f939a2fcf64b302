// SPDX-License-Identifier: Apache-2.0
/** What a benchmark is: documents, the question that each puts to a model, and how an answer is scored. */
package io.telechat.eval.task;
