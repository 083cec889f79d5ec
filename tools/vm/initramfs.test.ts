import { expect, test } from 'bun:test';
import { inLoadingOrder } from './initramfs.ts';

const MODULES_DEP = `kernel/drivers/virtio/virtio_ring.ko:
kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio-pci.ko.xz: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio_ring.ko
`;

test('dependencies load first and once, whatever a file spells its name and compression', () => {
  expect(inLoadingOrder(MODULES_DEP, ['virtio_pci', 'virtio_blk'])).toEqual([
    'kernel/drivers/virtio/virtio_ring.ko',
    'kernel/drivers/virtio/virtio.ko',
    'kernel/drivers/virtio/virtio-pci.ko.xz',
    'kernel/drivers/block/virtio_blk.ko',
  ]);
});

test('what is built into the kernel has no file', () => {
  expect(inLoadingOrder(MODULES_DEP, ['ext4'])).toEqual([]);
});
