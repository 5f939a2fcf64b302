// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/** Conversations on disk: a JSON list of {@code {"role": …, "content": …}}. */
public final class ConversationFiles {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ConversationFiles() {}

    /** @throws InvalidModelException if the file is missing or not a conversation */
    public static List<ChatMessage> load(Path file) {
        try {
            return messages(file.toString(), MAPPER.readTree(Files.readString(file)));
        } catch (NoSuchFileException e) {
            throw new InvalidModelException("%s: there is no such file".formatted(file), e);
        } catch (JsonProcessingException e) {
            throw new InvalidModelException("%s: not valid JSON: %s".formatted(file, e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new InvalidModelException("%s: cannot be read: %s".formatted(file, IoReason.of(e)), e);
        }
    }

    /** Writes to a temporary name and moves it into place, so that an interruption loses nothing. */
    public static void save(Path file, List<ChatMessage> messages) {
        ArrayNode list = MAPPER.createArrayNode();
        for (ChatMessage message : messages) {
            list.addObject().put("role", message.role().lowerCase()).put("content", message.content());
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new InvalidModelException("%s: cannot be written: it is not a file".formatted(file));
        }
        Path temporary = file.resolveSibling("." + file.getFileName() + ".tmp");
        try {
            Files.writeString(temporary, list.toPrettyString() + "\n");
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new InvalidModelException("%s: cannot be written: %s".formatted(file, IoReason.of(e)), e);
        }
    }

    /**
     * @param source what to name in complaints
     * @throws InvalidModelException unless it is a list of role and content
     */
    public static List<ChatMessage> messages(String source, JsonNode json) {
        if (!json.isArray()) {
            throw new InvalidModelException(source + ": expected a list of {\"role\": …, \"content\": …}");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : json) {
            if (!message.path("role").isTextual() || !message.path("content").isTextual()) {
                throw new InvalidModelException(
                        "%s: message %d lacks a role or content".formatted(source, messages.size()));
            }
            try {
                messages.add(new ChatMessage(
                        Role.parse(message.get("role").asText()),
                        message.get("content").asText()));
            } catch (InvalidRequestException e) {
                throw new InvalidModelException(
                        "%s: message %d: %s".formatted(source, messages.size(), e.getMessage()), e);
            }
        }
        return messages;
    }
}
