// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidRequestException;
import java.util.Locale;

/** Who speaks. */
public enum Role {
    SYSTEM,
    USER,
    ASSISTANT,
    /** The result of a tool that the assistant called. */
    TOOL;

    /** {@code "assistant"}; TeleChat's own files say {@code "bot"}, which is understood, too. */
    public static Role parse(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "system" -> SYSTEM;
            case "user" -> USER;
            case "assistant", "bot" -> ASSISTANT;
            case "tool" -> TOOL;
            default ->
                throw new InvalidRequestException("unknown role '%s'; there are system, user, assistant, tool", name);
        };
    }

    public String lowerCase() {
        return name().toLowerCase(Locale.ROOT);
    }
}
