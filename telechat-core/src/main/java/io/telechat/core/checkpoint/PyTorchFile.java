// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.InvalidModelException;
import io.telechat.core.tensor.HostStorage;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A state dict that {@code torch.save} wrote (zip format, PyTorch 1.6 and later): a pickle that describes tensors, and
 * one uncompressed member per storage, which is mapped.
 */
final class PyTorchFile implements TensorFile {
    private static final long MAX_PICKLE = 256_000_000;

    private final Path path;
    private final Arena arena;
    private final String root;
    private final Map<String, MemorySegment> members;
    private final Map<String, PickledTensor> tensors;
    private final Map<String, Info> infos = new LinkedHashMap<>();
    private final Map<String, Tensor> copies = new HashMap<>();

    private PyTorchFile(
            Path path,
            Arena arena,
            String root,
            Map<String, MemorySegment> members,
            Map<String, PickledTensor> tensors) {
        this.path = path;
        this.arena = arena;
        this.root = root;
        this.members = members;
        this.tensors = tensors;
    }

    /** @param arena keeps the file mapped */
    static PyTorchFile open(Path path, Arena arena) {
        Map<String, MemorySegment> members = ZipDirectory.members(path, MappedFile.map(path, arena));
        String pickleName = members.keySet().stream()
                .filter(name -> name.endsWith("/data.pkl"))
                .findFirst()
                .orElseThrow(
                        () -> new InvalidModelException("%s: zip file without data.pkl: not a PyTorch file", path));
        String root = pickleName.substring(0, pickleName.length() - "data.pkl".length());
        MemorySegment order = members.get(root + "byteorder");
        if (order != null
                && (order.byteSize() > 6 || !new String(bytes(order), StandardCharsets.US_ASCII).equals("little"))) {
            throw new InvalidModelException("%s: saved on a big-endian machine; save it again as safetensors", path);
        }
        MemorySegment pickle = members.get(pickleName);
        if (pickle.byteSize() > MAX_PICKLE) {
            throw new InvalidModelException(
                    "%s: its pickle has %,d bytes, at most %,d are allowed", path, pickle.byteSize(), MAX_PICKLE);
        }
        Map<String, PickledTensor> tensors = Unpickler.stateDict(path.toString(), bytes(pickle));
        PyTorchFile file = new PyTorchFile(path, arena, root, members, tensors);
        tensors.keySet().forEach(file::check);
        tensors.forEach((name, t) -> file.infos.put(name, new Info(t.dtype(), Shape.of(t.dims()), path)));
        return file;
    }

    private static byte[] bytes(MemorySegment segment) {
        return segment.toArray(ValueLayout.JAVA_BYTE);
    }

    /** Whether all elements of a tensor lie within its storage. */
    private void check(String name) {
        PickledTensor tensor = tensors.get(name);
        try {
            long last = tensor.offset();
            boolean sane = tensor.offset() >= 0
                    && tensor.offset()
                            <= storage(name).byteSize() / tensor.dtype().bytes();
            for (int i = 0; i < tensor.dims().length; i++) {
                sane &= tensor.dims()[i] >= 0 && tensor.strides()[i] >= 0;
                last = Math.addExact(last, Math.multiplyExact(Math.max(0, tensor.dims()[i] - 1), tensor.strides()[i]));
            }
            Shape shape = Shape.of(tensor.dims());
            long end = shape.elements() == 0
                    ? 0
                    : Math.multiplyExact(last + 1, (long) tensor.dtype().bytes());
            // A stride of 0 would let a small file claim a tensor of any size.
            boolean expands =
                    shape.elements() > storage(name).byteSize() / tensor.dtype().bytes();
            if (sane && !expands && end <= storage(name).byteSize()) {
                return;
            }
        } catch (ArithmeticException | IllegalArgumentException e) {
            // An overflow is one more way to lie outside of the storage.
        }
        throw new InvalidModelException(
                "%s: tensor '%s' does not lie within its storage; copy or download the file again", path, name);
    }

    private MemorySegment storage(String name) {
        MemorySegment storage = members.get(root + "data/" + tensors.get(name).key());
        if (storage == null) {
            throw new InvalidModelException("%s: the data of tensor '%s' is missing", path, name);
        }
        return storage;
    }

    @Override
    public Map<String, Info> tensors() {
        return infos;
    }

    @Override
    public Tensor tensor(String name) {
        PickledTensor tensor = tensors.get(name);
        MemorySegment storage = storage(name);
        Shape shape = Shape.of(tensor.dims());
        int bytes = tensor.dtype().bytes();
        long size = shape.elements() * bytes;
        if (tensor.isContiguous()) {
            return new Tensor(tensor.dtype(), shape, new HostStorage(storage.asSlice(tensor.offset() * bytes, size)));
        }
        return copies.computeIfAbsent(name, n -> contiguous(tensor, storage, shape));
    }

    private Tensor contiguous(PickledTensor tensor, MemorySegment storage, Shape shape) {
        int bytes = tensor.dtype().bytes();
        MemorySegment copy = arena.allocate(shape.elements() * bytes, 64);
        for (long i = 0; i < shape.elements(); i++) {
            long rest = i;
            long from = tensor.offset();
            for (int d = tensor.dims().length - 1; d >= 0; d--) {
                from += rest % tensor.dims()[d] * tensor.strides()[d];
                rest /= tensor.dims()[d];
            }
            MemorySegment.copy(storage, from * bytes, copy, i * bytes, bytes);
        }
        return new Tensor(tensor.dtype(), shape, new HostStorage(copy));
    }
}
