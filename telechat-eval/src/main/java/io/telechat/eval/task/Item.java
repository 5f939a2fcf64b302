// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

/**
 * A document: what is put to the model, and what is wanted of it.
 *
 * @param id row of the subtask's file, from 0
 */
public record Item(int id, Prompt prompt, Query query) {}
