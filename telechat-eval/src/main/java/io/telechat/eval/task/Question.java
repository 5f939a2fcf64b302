// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.Optional;

/**
 * What of a document decides how its answer is read.
 *
 * @param subtask empty where a task has none
 * @param input the question; empty if only answers are known
 * @param gold the right answer; empty if answers are to be read, but not scored
 */
public record Question(Optional<String> subtask, String input, Optional<String> gold) {}
