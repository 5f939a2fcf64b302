// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.launch;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A machine that ranks run on.
 *
 * @param name as ssh knows it
 * @param slots numbers of its places for ranks
 */
public record Host(String name, List<Integer> slots) {
    public Host {
        slots = List.copyOf(slots);
    }

    static Host of(String name, int slots) {
        return new Host(name, IntStream.range(0, slots).boxed().toList());
    }
}
