// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.launch;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lines of {@code node1 slots=8}, as mpirun and DeepSpeed read them; {@code #} begins a comment. Which of the hosts and slots take
 * part is said as DeepSpeed's launcher is told: {@code node1:0,2@node2} are slots 0 and 2 of one host and all of another.
 */
public final class Hostfile {
    private static final Pattern LINE =
            Pattern.compile("(\\S+)(?:\\s+slots\\s*=\\s*(\\d{1,4}))?(?:\\s+max[_-]slots\\s*=\\s*\\d+)?");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?");

    private Hostfile() {}

    /** @throws InvalidInputException naming the first line that is none */
    public static List<Host> read(Path file) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be read: %s", file, IoReason.of(e));
        }
        Map<String, Host> hosts = new LinkedHashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).replaceFirst("#.*", "").strip();
            if (line.isEmpty()) {
                continue;
            }
            Matcher matcher = LINE.matcher(line);
            if (!matcher.matches() || !NAME.matcher(matcher.group(1)).matches()) {
                throw new InvalidInputException("%s:%d: expected a line such as: node1 slots=8", file, i + 1);
            }
            int slots = matcher.group(2) == null ? 1 : Integer.parseInt(matcher.group(2));
            if (slots == 0) {
                throw new InvalidInputException("%s:%d: a host without slots", file, i + 1);
            }
            if (hosts.put(matcher.group(1), Host.of(matcher.group(1), slots)) != null) {
                throw new InvalidInputException("%s:%d: %s is there twice", file, i + 1, matcher.group(1));
            }
        }
        if (hosts.isEmpty()) {
            throw new InvalidInputException("%s: names no hosts; expected lines such as: node1 slots=8", file);
        }
        return List.copyOf(hosts.values());
    }

    /**
     * The hosts and slots that take part.
     *
     * @param include only these, if it is there
     * @param exclude not these
     * @throws InvalidRequestException if both are there, a name or slot is not, or none is left
     */
    public static List<Host> choose(List<Host> all, Optional<String> include, Optional<String> exclude) {
        if (include.isPresent() && exclude.isPresent()) {
            throw new InvalidRequestException("--include and --exclude exclude each other");
        }
        List<Host> chosen = all;
        if (include.isPresent()) {
            Map<String, List<Integer>> wanted = parse(include.get(), all);
            chosen = all.stream()
                    .filter(h -> wanted.containsKey(h.name()))
                    .map(h -> new Host(h.name(), wanted.get(h.name())))
                    .toList();
        } else if (exclude.isPresent()) {
            Map<String, List<Integer>> unwanted = parse(exclude.get(), all);
            chosen = all.stream()
                    .map(h -> new Host(h.name(), without(h.slots(), unwanted.getOrDefault(h.name(), List.of()))))
                    .filter(h -> !h.slots().isEmpty())
                    .toList();
        }
        if (chosen.isEmpty()) {
            throw new InvalidRequestException("no host is left");
        }
        return chosen;
    }

    /** The first so many hosts, and of each the first so many slots. */
    public static List<Host> first(List<Host> hosts, Optional<Integer> nodes, Optional<Integer> slots) {
        List<Host> some = hosts.subList(0, Math.min(hosts.size(), nodes.orElse(hosts.size())));
        return some.stream()
                .map(h -> new Host(
                        h.name(),
                        h.slots()
                                .subList(
                                        0,
                                        Math.min(
                                                h.slots().size(),
                                                slots.orElse(h.slots().size())))))
                .toList();
    }

    private static List<Integer> without(List<Integer> slots, List<Integer> unwanted) {
        List<Integer> left = new ArrayList<>(slots);
        left.removeAll(unwanted);
        return left;
    }

    /** {@code h1:0,2@h2}. */
    private static Map<String, List<Integer>> parse(String text, List<Host> all) {
        Map<String, List<Integer>> chosen = new LinkedHashMap<>();
        for (String part : text.split("@", -1)) {
            int colon = part.lastIndexOf(':');
            String name = colon < 0 ? part : part.substring(0, colon);
            Host host = all.stream()
                    .filter(h -> h.name().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new InvalidRequestException("'%s': there is no host '%s'", text, name));
            TreeSet<Integer> slots = new TreeSet<>();
            for (String slot :
                    colon < 0 ? new String[0] : part.substring(colon + 1).split(",", -1)) {
                if (!slot.matches("\\d{1,4}") || !host.slots().contains(Integer.parseInt(slot))) {
                    throw new InvalidRequestException("'%s': host %s has no slot '%s'", text, name, slot);
                }
                slots.add(Integer.parseInt(slot));
            }
            chosen.put(name, colon < 0 ? host.slots() : List.copyOf(slots));
        }
        return chosen;
    }

    /** How many ranks these hosts have places for. */
    public static int ranks(List<Host> hosts) {
        return hosts.stream().mapToInt(h -> h.slots().size()).sum();
    }
}
