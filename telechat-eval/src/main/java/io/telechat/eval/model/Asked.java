// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import io.telechat.eval.task.Item;
import java.util.Optional;

/** A document and where it stands. */
public record Asked(String task, Optional<String> subtask, Item item) {}
