// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DialogStoreTest {
    private static final int DIALOGS = 500;
    private static final int BUFFER_BYTES = 1 << 10;

    @TempDir
    Path directory;

    private static EncodedDialog dialog(int number) {
        int[] ids = IntStream.range(0, 1 + number % 90).map(i -> number + i).toArray();
        byte[] mask = new byte[ids.length];
        mask[number % ids.length] = 1;
        return new EncodedDialog(ids, mask);
    }

    private static void assertStored(DialogStore store, StoredDialog stored, EncodedDialog expected) {
        int[] ids = new int[expected.length() + 2];
        byte[] mask = new byte[expected.length() + 2];
        store.reader().read(stored, ids, mask, 1);
        assertArrayEquals(
                expected.ids(),
                IntStream.of(ids).skip(1).limit(expected.length()).toArray());
        assertArrayEquals(expected.mask(), Arrays.copyOfRange(mask, 1, 1 + expected.length()));
        assertEquals(0, ids[0] + ids[expected.length() + 1], "it writes beside its place");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void dialogsComeBackWhoeverWroteThem(int threads) {
        ConcurrentHashMap<Integer, StoredDialog> stored = new ConcurrentHashMap<>();
        try (DialogStore store = new DialogStore(directory);
                WorkerTeam team = new WorkerTeam(threads)) {
            int[] files = {store.newFile(), store.newFile()};
            team.run(threads, (thread, worker) -> {
                try (DialogStore.Writer first = store.writer(files[0], BUFFER_BYTES);
                        DialogStore.Writer second = store.writer(files[1], BUFFER_BYTES)) {
                    for (int i = thread; i < DIALOGS; i += threads) {
                        stored.put(i, (i % 3 == 0 ? first : second).add(i, 2 * i, 5, dialog(i)));
                    }
                }
            });
            for (int i = 0; i < DIALOGS; i++) {
                assertEquals(i % 3 == 0 ? files[0] : files[1], stored.get(i).file());
                assertEquals(1, stored.get(i).trained());
                assertStored(store, stored.get(i), dialog(i));
            }
        }
    }

    @Test
    void aDialogMayBeLongerThanAllBuffers() {
        EncodedDialog huge = new EncodedDialog(IntStream.range(0, 100_000).toArray(), new byte[100_000]);
        try (DialogStore store = new DialogStore(directory)) {
            StoredDialog small;
            StoredDialog stored;
            try (DialogStore.Writer writer = store.writer(store.newFile(), BUFFER_BYTES)) {
                small = writer.add(0, 0, 0, dialog(7));
                stored = writer.add(0, 0, 0, huge);
            }
            assertStored(store, small, dialog(7));
            assertStored(store, stored, huge);
        }
    }

    @Test
    void nothingIsLeftOnDisk() throws IOException {
        try (DialogStore store = new DialogStore(directory)) {
            store.newFile();
            store.newFile();
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(List.of(), files.toList());
        }
    }
}
