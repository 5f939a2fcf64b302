// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostfileTest {
    @TempDir
    private Path directory;

    private List<Host> read(String text) throws IOException {
        return Hostfile.read(Files.writeString(directory.resolve("hosts"), text));
    }

    private static String text(List<Host> hosts) {
        return String.join(
                "@",
                hosts.stream()
                        .map(h -> h.name() + ":"
                                + String.join(
                                        ",",
                                        h.slots().stream().map(String::valueOf).toList()))
                        .toList());
    }

    @Test
    void readsHostsWithSlotsAndComments() throws IOException {
        List<Host> hosts = read("# the cluster\nnode1 slots=2\n\n  10.0.0.7   slots = 1 max_slots=4 # one\nnode3\n");
        assertEquals("node1:0,1@10.0.0.7:0@node3:0", text(hosts));
        assertEquals(4, Hostfile.ranks(hosts));
    }

    @ParameterizedTest
    @CsvSource({
        "node1 slots=x, :1: expected a line",
        "node1 slots=0, :1: a host without slots",
        "-oProxyCommand=evil slots=1, :1: expected a line",
        "node1;reboot slots=1, :1: expected a line",
        "'node1\nnode1 slots=2', :2: node1 is there twice",
        "'# nothing', names no hosts"
    })
    void namesTheLineThatIsNone(String text, String complaint) {
        InvalidInputException failure =
                assertThrows(InvalidInputException.class, () -> read(text.replace("\\n", "\n")));
        assertTrue(failure.getMessage().contains(complaint), failure.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "'h1:0,2@h2', '', 'h1:0,2@h2:0,1,2,3'",
        "'h2', '', 'h2:0,1,2,3'",
        "'', 'h1', 'h2:0,1,2,3'",
        "'', 'h1:1@h2:0,3', 'h1:0,2,3@h2:1,2'",
        "'', '', 'h1:0,1,2,3@h2:0,1,2,3'"
    })
    void choosesHostsAndSlots(String include, String exclude, String chosen) throws IOException {
        List<Host> hosts = read("h1 slots=4\nh2 slots=4\n");
        assertEquals(chosen, text(Hostfile.choose(hosts, given(include), given(exclude))));
    }

    private static Optional<String> given(String text) {
        return Optional.of(text).filter(t -> !t.isEmpty());
    }

    @ParameterizedTest
    @CsvSource({
        "'h3', '', there is no host 'h3'",
        "'h1:9', '', host h1 has no slot '9'",
        "'h1:', '', host h1 has no slot ''",
        "'h1', 'h2', exclude each other",
        "'', 'h1@h2', no host is left"
    })
    void refusesWhatIsNotThere(String include, String exclude, String complaint) throws IOException {
        List<Host> hosts = read("h1 slots=4\nh2 slots=4\n");
        InvalidRequestException failure = assertThrows(
                InvalidRequestException.class, () -> Hostfile.choose(hosts, given(include), given(exclude)));
        assertTrue(failure.getMessage().contains(complaint), failure.getMessage());
    }

    @Test
    void takesTheFirstNodesAndSlots() throws IOException {
        List<Host> hosts = read("h1 slots=4\nh2 slots=1\nh3 slots=4\n");
        assertEquals("h1:0,1@h2:0", text(Hostfile.first(hosts, Optional.of(2), Optional.of(2))));
        assertEquals(9, Hostfile.ranks(Hostfile.first(hosts, Optional.empty(), Optional.empty())));
    }
}
