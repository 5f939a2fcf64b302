// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.InvalidModelException;
import io.telechat.core.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the pickle of a PyTorch state dict without being able to run anything: an allow-list of opcodes, and of the few
 * callables that tensors need, which are names here and never code. Anything else is refused by name.
 *
 * <p>Opcodes: Python's {@code pickletools}, protocols 2 to 5.
 */
final class Unpickler {
    private static final Object MARK = new Object();
    private static final Object NONE = new Object();
    private static final int MAX_DEPTH = 10_000;
    private static final int MAX_RANK = 8;

    private static final Map<String, DType> STORAGES = Map.of(
            "torch DoubleStorage", DType.F64,
            "torch FloatStorage", DType.F32,
            "torch HalfStorage", DType.F16,
            "torch BFloat16Storage", DType.BF16,
            "torch LongStorage", DType.I64,
            "torch IntStorage", DType.I32,
            "torch ShortStorage", DType.I16,
            "torch CharStorage", DType.I8,
            "torch ByteStorage", DType.U8,
            "torch BoolStorage", DType.BOOL);
    private static final String REBUILD_TENSOR = "torch._utils _rebuild_tensor_v2";
    private static final String REBUILD_PARAMETER = "torch._utils _rebuild_parameter";
    private static final String ORDERED_DICT = "collections OrderedDict";

    private record Global(String name) {}

    private record StorageRef(DType dtype, String key) {}

    private final ByteBuffer in;
    private final ArrayDeque<Object> stack = new ArrayDeque<>();
    private final Map<Integer, Object> memo = new HashMap<>();

    private Unpickler(byte[] pickle) {
        this.in = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * The tensors of a state dict by name; other values are passed over.
     *
     * @param source the file to name in complaints
     */
    static Map<String, PickledTensor> stateDict(String source, byte[] pickle) {
        try {
            Object root = new Unpickler(pickle).run();
            if (!(root instanceof Map<?, ?> dict)) {
                throw new IllegalArgumentException("it holds no dictionary of tensors");
            }
            Map<String, PickledTensor> tensors = new LinkedHashMap<>();
            dict.forEach((key, value) -> {
                if (key instanceof String name && value instanceof PickledTensor tensor) {
                    tensors.put(name, tensor);
                }
            });
            return tensors;
        } catch (IllegalArgumentException e) {
            throw new InvalidModelException(e, "%s: cannot be read safely: %s", source, e.getMessage());
        } catch (RuntimeException e) {
            throw new InvalidModelException(e, "%s: damaged pickle; copy or download the file again", source);
        }
    }

    private Object run() {
        while (true) {
            int opcode = in.get() & 0xff;
            if (opcode == '.') {
                return stack.pop();
            }
            step(opcode);
            if (stack.size() > MAX_DEPTH) {
                throw new IllegalArgumentException("more than " + MAX_DEPTH + " values on its stack");
            }
        }
    }

    private void step(int opcode) {
        switch (opcode) {
            case 0x80 -> in.get(); // PROTO
            case 0x95 -> in.getLong(); // FRAME
            case '(' -> stack.push(MARK);
            case '0' -> stack.pop();
            case 'N' -> stack.push(NONE);
            case 0x88 -> stack.push(true); // NEWTRUE
            case 0x89 -> stack.push(false); // NEWFALSE
            case 'K' -> stack.push((long) (in.get() & 0xff)); // BININT1
            case 'M' -> stack.push((long) (in.getShort() & 0xffff)); // BININT2
            case 'J' -> stack.push((long) in.getInt()); // BININT
            case 0x8a -> stack.push(readLong(in.get() & 0xff)); // LONG1
            case 'G' -> stack.push(Double.longBitsToDouble(Long.reverseBytes(in.getLong()))); // BINFLOAT
            case 'X' -> stack.push(readText(in.getInt())); // BINUNICODE
            case 0x8c -> stack.push(readText(in.get() & 0xff)); // SHORT_BINUNICODE
            case 'c' -> stack.push(global(readLine(), readLine())); // GLOBAL
            case 0x93 -> pushStackGlobal();
            case ')' -> stack.push(List.of()); // EMPTY_TUPLE
            case 't' -> stack.push(popToMark());
            case 0x85 -> pushTuple(1);
            case 0x86 -> pushTuple(2);
            case 0x87 -> pushTuple(3);
            case ']' -> stack.push(new ArrayList<>()); // EMPTY_LIST
            case 'a' -> append(List.of(stack.pop()));
            case 'e' -> append(popToMark());
            case '}' -> stack.push(new LinkedHashMap<>()); // EMPTY_DICT
            case 's' -> setItems(popPair());
            case 'u' -> setItems(popToMark());
            case 'q' -> memo.put(in.get() & 0xff, stack.peek()); // BINPUT
            case 'r' -> memo.put(in.getInt(), stack.peek()); // LONG_BINPUT
            case 0x94 -> memo.put(memo.size(), stack.peek()); // MEMOIZE
            case 'h' -> stack.push(recall(in.get() & 0xff)); // BINGET
            case 'j' -> stack.push(recall(in.getInt())); // LONG_BINGET
            case 'Q' -> stack.push(storage(stack.pop())); // BINPERSID
            case 'R' -> reduce();
            case 'b' -> stack.pop(); // BUILD: attributes of an OrderedDict, such as _metadata
            default -> throw new IllegalArgumentException("opcode 0x%02x is not allowed".formatted(opcode));
        }
    }

    private void reduce() {
        Object arguments = stack.pop();
        if (!(stack.pop() instanceof Global global) || !(arguments instanceof List<?> list)) {
            throw new IllegalArgumentException("it calls something that is not a function");
        }
        stack.push(
                switch (global.name()) {
                    case ORDERED_DICT -> new LinkedHashMap<>();
                    case REBUILD_TENSOR -> tensor(list);
                    case REBUILD_PARAMETER -> list.get(0);
                    default -> throw new IllegalArgumentException("it calls " + global.name());
                });
    }

    private static PickledTensor tensor(List<?> arguments) {
        StorageRef storage = (StorageRef) arguments.get(0);
        long[] dims = longs(arguments.get(2));
        long[] strides = longs(arguments.get(3));
        if (dims.length != strides.length) {
            throw new IllegalArgumentException(
                    "a tensor has " + dims.length + " dimensions and " + strides.length + " strides");
        }
        return new PickledTensor(storage.dtype(), storage.key(), (Long) arguments.get(1), dims, strides);
    }

    private static long[] longs(Object tuple) {
        if (((List<?>) tuple).size() > MAX_RANK) {
            throw new IllegalArgumentException("a tensor has " + ((List<?>) tuple).size() + " dimensions");
        }
        return ((List<?>) tuple).stream().mapToLong(v -> (Long) v).toArray();
    }

    private static Global global(String module, String name) {
        String full = module + " " + name;
        if (STORAGES.containsKey(full)
                || full.equals(REBUILD_TENSOR)
                || full.equals(REBUILD_PARAMETER)
                || full.equals(ORDERED_DICT)) {
            return new Global(full);
        }
        throw new IllegalArgumentException("it names '%s.%s', which tensors do not need".formatted(module, name));
    }

    private void pushStackGlobal() {
        String name = (String) stack.pop();
        stack.push(global((String) stack.pop(), name));
    }

    /** A persistent id is {@code ("storage", type, key, device, elements)}. */
    private static StorageRef storage(Object id) {
        List<?> tuple = (List<?>) id;
        if (!"storage".equals(tuple.get(0))
                || !(tuple.get(1) instanceof Global type)
                || !STORAGES.containsKey(type.name())) {
            throw new IllegalArgumentException("it refers to something that is not a storage");
        }
        return new StorageRef(STORAGES.get(type.name()), (String) tuple.get(2));
    }

    private List<Object> popToMark() {
        List<Object> values = new ArrayList<>();
        for (Object value = stack.pop(); value != MARK; value = stack.pop()) {
            values.add(value);
        }
        return values.reversed();
    }

    private List<Object> popPair() {
        Object value = stack.pop();
        return List.of(stack.pop(), value);
    }

    private void pushTuple(int size) {
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            values.add(stack.pop());
        }
        stack.push(values.reversed());
    }

    @SuppressWarnings("unchecked")
    private void append(List<Object> values) {
        ((List<Object>) stack.peek()).addAll(values);
    }

    @SuppressWarnings("unchecked")
    private void setItems(List<Object> items) {
        Map<Object, Object> dict = (Map<Object, Object>) stack.peek();
        for (int i = 0; i < items.size(); i += 2) {
            if (!(items.get(i) instanceof String) && !(items.get(i) instanceof Long)) {
                throw new IllegalArgumentException("a dictionary key is neither text nor a number");
            }
            dict.put(items.get(i), items.get(i + 1));
        }
    }

    private Object recall(int index) {
        Object value = memo.get(index);
        if (value == null) {
            throw new IllegalArgumentException("it recalls value " + index + ", which it never stored");
        }
        return value;
    }

    private long readLong(int length) {
        if (length > 8) {
            throw new IllegalArgumentException("an integer has " + length + " bytes");
        }
        long value = 0;
        for (int i = 0; i < length; i++) {
            value |= (in.get() & 0xffL) << (8 * i);
        }
        int unused = 64 - 8 * length;
        return length == 0 ? 0 : value << unused >> unused;
    }

    private String readText(int length) {
        if (length < 0 || length > in.remaining()) {
            throw new IllegalArgumentException("a text has " + Integer.toUnsignedString(length) + " bytes");
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private String readLine() {
        StringBuilder line = new StringBuilder();
        for (byte b = in.get(); b != '\n'; b = in.get()) {
            line.append((char) (b & 0xff));
        }
        return line.toString();
    }
}
