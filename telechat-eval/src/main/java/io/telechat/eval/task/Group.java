// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.function.Predicate;

/**
 * Some of a task's subtasks, whose scores are averaged.
 *
 * @param name in the results
 * @param has tells its subtasks by name
 */
public record Group(String name, Predicate<String> has) {}
