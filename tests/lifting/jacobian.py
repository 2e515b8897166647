import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = torch.stack([x[0]*x[1], x[1]*x[2], torch.sin(x[0])])
J = torch.zeros(3, 3)
for i in range(3):
    v = torch.zeros(3)
    v[i] = 1.0
    x.grad = None
    y.backward(v, retain_graph=True)
    J[i] = x.grad
print(J)

g, = torch.autograd.grad(y, x, torch.eye(3)[1])
w = torch.tensor([0.5, -1.0, 2.0])
(h,) = torch.autograd.grad((w*y).sum(), x)
expected = torch.tensor([2.0806, 6.5, -2.0])  # the second is wrong
assert torch.allclose(h, expected, atol=1e-3)
