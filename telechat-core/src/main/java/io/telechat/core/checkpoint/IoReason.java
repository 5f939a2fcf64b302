// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.telechat.core.Message;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** What went wrong with a file, in words for people. */
public final class IoReason {
    private IoReason() {}

    public static Message of(IOException failure) {
        return switch (failure) {
            case JsonProcessingException e -> JsonReason.of(e);
            case NoSuchFileException e -> Message.of("there is no such file or directory");
            case AccessDeniedException e -> Message.of("no permission");
            case FileSystemException e when e.getReason() != null -> Message.of("%s", e.getReason());
            default ->
                Message.of(
                        "%s", failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage());
        };
    }
}
