// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import io.telechat.eval.model.Chat;
import io.telechat.eval.model.ChatSettings;
import java.util.function.Supplier;

/**
 * A model that answers, or judges.
 *
 * @param name as results call it
 * @param opens loads it, when it is needed
 */
public record Respondent(String name, Supplier<Chat> opens, ChatSettings how) {}
