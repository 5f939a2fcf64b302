// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.checkpoint.TextFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/** Conversations on disk: a JSON list of {@code {"role": …, "content": …}}. */
public final class ConversationFiles {
    private static final int MOST_LINKS = 40;

    private ConversationFiles() {}

    /** @throws InvalidInputException if the file is missing or not a conversation */
    public static List<ChatMessage> load(Path file) {
        String text = TextFiles.read(file);
        if (!text.strip().startsWith("[")) {
            throw noConversation(file.toString());
        }
        return messages(file.toString(), JsonFiles.parse(file.toString(), text));
    }

    /**
     * Writes to a temporary name and moves it into place, so that an interruption loses nothing. A link goes on pointing at the
     * file, and the file keeps its permissions.
     */
    public static void save(Path file, List<ChatMessage> messages) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (ChatMessage message : messages) {
            list.addObject().put("role", message.role().lowerCase()).put("content", message.content());
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new InvalidInputException("%s: cannot be written: it is not a file", file);
        }
        try {
            replace(target(file), list.toPrettyString() + "\n");
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be written: %s", file, IoReason.of(e));
        }
    }

    private static InvalidInputException noConversation(String source) {
        return new InvalidInputException("%s: expected a list of {\"role\": …, \"content\": …}", source);
    }

    /** Where a link leads, also if there is nothing yet. */
    private static Path target(Path file) throws IOException {
        Path target = file.toAbsolutePath();
        for (int links = 0; Files.isSymbolicLink(target); links++) {
            if (links == MOST_LINKS) {
                throw new IOException("too many links");
            }
            target = target.resolveSibling(Files.readSymbolicLink(target));
        }
        return target;
    }

    private static void replace(Path target, String text) throws IOException {
        Path temporary = target.resolveSibling("." + target.getFileName() + ".tmp");
        try {
            Files.writeString(temporary, text);
            if (Files.exists(target)
                    && target.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.setPosixFilePermissions(temporary, Files.getPosixFilePermissions(target));
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /**
     * @param source what to name in complaints
     * @throws InvalidInputException unless it is a list of role and content
     */
    public static List<ChatMessage> messages(String source, JsonNode json) {
        if (!json.isArray()) {
            throw noConversation(source);
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : json) {
            if (!message.path("role").isTextual() || !message.path("content").isTextual()) {
                throw new InvalidInputException("%s: message %d lacks a role or content", source, messages.size());
            }
            try {
                messages.add(new ChatMessage(
                        Role.parse(message.get("role").asText()),
                        message.get("content").asText()));
            } catch (InvalidRequestException e) {
                throw new InvalidInputException(e, "%s: message %d: %s", source, messages.size(), e.message());
            }
        }
        return messages;
    }
}
