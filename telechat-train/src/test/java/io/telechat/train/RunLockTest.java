// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunLockTest {
    @TempDir
    private Path directory;

    @Test
    void aSecondRunIsRefusedAndNothingIsLeft() throws IOException {
        try (RunLock _ = RunLock.take(directory)) {
            String message = assertThrows(InvalidRequestException.class, () -> RunLock.take(directory))
                    .getMessage();
            assertTrue(message.contains("another run"), message);
        }
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(0, left.count());
        }
        RunLock.take(directory).close();
    }
}
