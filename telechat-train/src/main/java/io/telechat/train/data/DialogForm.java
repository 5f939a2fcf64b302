// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.checkpoint.KeyRules;
import io.telechat.train.data.BadLineException.Reason;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The ways in which data sets that people share write dialogs, and how each becomes what {@link DialogParser} reads. */
enum DialogForm {
    /** {@code {"messages": [{"role": "user", "content": "…"}, …]}}. */
    MESSAGES {
        @Override
        boolean matches(JsonNode line) {
            return line.has("messages");
        }
    },
    /** {@code {"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}}. */
    SHAREGPT {
        @Override
        boolean matches(JsonNode line) {
            return line.has(CONVERSATIONS) || line.path(CONVERSATION).isArray();
        }

        @Override
        JsonNode normalized(JsonNode line) throws BadLineException {
            DialogParser.require(BESIDE_CONVERSATIONS, line);
            ObjectNode dialog = ((ObjectNode) line).deepCopy();
            JsonNode turns = dialog.remove(line.has(CONVERSATIONS) ? CONVERSATIONS : CONVERSATION);
            ArrayNode messages = dialog.putArray("messages");
            for (JsonNode turn : turns) {
                messages.add(message(turn));
            }
            return dialog;
        }
    },
    /** {@code {"instruction": "…", "input": "", "output": "…"}}. */
    ALPACA {
        @Override
        boolean matches(JsonNode line) {
            return line.hasNonNull("instruction") && line.has(OUTPUT);
        }
    },
    /** {@code {"input": "…", "output": "…"}}, the reference's. */
    INPUT_OUTPUT {
        @Override
        boolean matches(JsonNode line) {
            return line.has("input") && line.has(OUTPUT);
        }
    },
    /** A question and an answer under one of their usual names; both may be lists of messages. */
    PROMPT_RESPONSE {
        @Override
        boolean matches(JsonNode line) {
            return present(line, QUESTIONS).isPresent()
                    && present(line, ANSWERS).isPresent();
        }

        @Override
        JsonNode normalized(JsonNode line) throws BadLineException {
            DialogParser.require(BESIDE_PROMPT, line);
            ObjectNode dialog = ((ObjectNode) line).deepCopy();
            JsonNode question = dialog.remove(only(line, QUESTIONS));
            JsonNode answer = dialog.remove(only(line, ANSWERS));
            if (question.isArray() && answer.isArray()) {
                dialog.putArray("messages").addAll((ArrayNode) question).addAll((ArrayNode) answer);
            } else {
                dialog.set("input", question);
                dialog.set(OUTPUT, answer);
            }
            return dialog;
        }
    },
    /** {@code {"text": "…"}} or {@code {"data": "…"}}: no dialog, for continued pre-training. */
    PLAIN_TEXT {
        @Override
        boolean matches(JsonNode line) {
            return line.has("data") || line.path(TEXT).isTextual();
        }

        @Override
        JsonNode normalized(JsonNode line) {
            if (line.has("data")) {
                return line;
            }
            ObjectNode text = ((ObjectNode) line).deepCopy();
            text.set("data", text.remove(TEXT));
            return text;
        }
    };

    private static final String CONVERSATIONS = "conversations";
    private static final String CONVERSATION = "conversation";
    private static final String OUTPUT = "output";
    private static final String TEXT = "text";
    private static final List<String> QUESTIONS = List.of("prompt", "question", "query", "instruction");
    private static final List<String> ANSWERS = List.of("response", "completion", "answer");

    private static final KeyRules BESIDE_CONVERSATIONS = KeyRules.saying(
                    "'%s' is %s, which telechat does not read beside conversations")
            .refuse("instruction", "history", "input", OUTPUT);
    private static final KeyRules BESIDE_PROMPT = KeyRules.saying(
                    "'%s' is %s, which telechat does not read beside prompt and response")
            .refuse("input", OUTPUT, "context", "history");

    private static final Map<String, String> ROLES = Map.of(
            "human", "user",
            "gpt", "assistant",
            "chatgpt", "assistant",
            "bot", "assistant",
            "bard", "assistant",
            "model", "assistant",
            "observation", "tool",
            "function_response", "tool");

    /** Whether a line is written so; the first form that matches counts. */
    abstract boolean matches(JsonNode line);

    /** The line as {@link DialogParser} reads it. */
    JsonNode normalized(JsonNode line) throws BadLineException {
        return line;
    }

    /**
     * The line as {@link DialogParser} reads it.
     *
     * @param wanted what it must be, if that was said
     */
    static JsonNode normalized(JsonNode line, Optional<DialogForm> wanted) throws BadLineException {
        if (wanted.isPresent() && !wanted.get().matches(line)) {
            throw new BadLineException(Reason.MISSING_FIELDS, "not in the form of %s", wanted.get());
        }
        for (DialogForm form : wanted.map(List::of).orElse(List.of(values()))) {
            if (form.matches(line)) {
                return form.normalized(line);
            }
        }
        return line;
    }

    private static String only(JsonNode line, List<String> names) throws BadLineException {
        List<String> there = names.stream().filter(line::hasNonNull).toList();
        if (there.size() > 1) {
            throw new BadLineException(
                    Reason.UNUSED_FIELD, "either '%s' or '%s' is too much", there.get(0), there.get(1));
        }
        return there.getFirst();
    }

    private static Optional<String> present(JsonNode line, List<String> names) {
        return names.stream().filter(line::hasNonNull).findFirst();
    }

    /** {@code from} and {@code value} become {@code role} and {@code content}; all else stays. */
    private static JsonNode message(JsonNode turn) {
        if (!turn.isObject()) {
            return turn;
        }
        ObjectNode message = JsonNodeFactory.instance.objectNode();
        turn.properties().forEach(field -> {
            String key = field.getKey();
            String renamed = key.equals("from") ? "role" : key.equals("value") ? "content" : key;
            boolean isRole = renamed.equals("role") && field.getValue().isTextual();
            if (isRole) {
                String role = field.getValue().textValue().toLowerCase(Locale.ROOT);
                message.put(renamed, ROLES.getOrDefault(role, role));
            } else {
                message.set(renamed, field.getValue());
            }
        });
        return message;
    }

    /** {@code "prompt-response"}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
