#!/usr/bin/python3
"""The rival of train_speed.c: the same network, minibatch and step in PyTorch (Debian: python3-torch).

    train_speed.py [BATCH [STEPS [THREADS]]]

Both memory layouts are measured; augmentation is left out, in PyTorch's favour. Never used by the product."""
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

batch, steps, threads = (int(v) for v in sys.argv[1:4] + ["128", "20", "2"][len(sys.argv) - 1:])
torch.manual_seed(1)
torch.set_num_threads(threads)


class Block(nn.Module):
    def __init__(self, c, k, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c, k, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(k)
        self.conv2 = nn.Conv2d(k, k, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(k)
        self.widen = k // 4 if c != k else 0

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.widen:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.widen, self.widen))
        return F.relu(x + y)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        blocks, c = [], 16
        for k in (16, 32, 64):
            for i in range(3):
                blocks.append(Block(c, k, 2 if k != 16 and i == 0 else 1))
                c = k
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        return self.linear(F.avg_pool2d(x, 8).flatten(1))


def report(what, run):
    times, cpu = [], time.process_time()
    for i in range(-2, steps):
        if i == 0:
            cpu = time.process_time()
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    cpu = time.process_time() - cpu
    times = sorted(times[2:])
    print(f"{what:<22} {batch / times[0]:6.0f} images/s best, {batch / times[steps // 2]:6.0f} median, "
          f"{1e6 * cpu / steps / batch:6.0f} us of processor time per image")


print(f"PyTorch {torch.__version__}, batch {batch}, {threads} threads")
for layout in (torch.contiguous_format, torch.channels_last):
    name = "NCHW" if layout == torch.contiguous_format else "NHWC"
    net = ResNet20().to(memory_format=layout)
    x = torch.randn(batch, 3, 32, 32).to(memory_format=layout)
    y = torch.randint(0, 10, (batch,))
    opt = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)

    def forward():
        with torch.no_grad():
            net(x)

    def step():
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()

    net.eval()
    report(f"forward {name}", forward)
    net.train()
    report(f"train {name}", step)

print(f"{'memory':<22} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:6d} MB")
