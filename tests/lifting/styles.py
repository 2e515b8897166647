import torch, math, numpy as np
# 1 lambda derivative + label
f = lambda t: t**3 + 2*t
df = lambda t: 3*t**2 + 2
x = torch.tensor(2.0, requires_grad=True)
y = f(x)
y.backward()
print("f'(x) by autograd", x.grad, "dy/dx by hand", df(2.0))
print(f"dy/dx = {df(x.item())}, autograd {x.grad}")
# 2 sigma prime by hand, names
x = torch.tensor(3.0, requires_grad=True)
y = torch.sigmoid(x**2) + torch.tanh(x**3)
y.backward()
xs = 3.0
sigma_prime = np.exp(-xs**2)/(1+np.exp(-xs**2))**2
y_prime_x = sigma_prime*(2*xs) + 4/(np.exp(xs**3)+np.exp(-xs**3))**2*(3*xs**2)
print(y_prime_x, x.grad)
# 3 vector
v = torch.tensor([1., 2., 3.], requires_grad=True)
s = (v**2).mean()
s.backward()
manual_grad = 2*v/3
print(torch.allclose(v.grad, manual_grad))
wrong_grad_v = 2*v
# 4 grad_x style and w.r.t.
a = torch.tensor(0.5, requires_grad=True)
b = torch.tensor(-1.5, requires_grad=True)
L = torch.exp(a*b) + a
L.backward()
grad_a = b*torch.exp(a*b) + 1
b_grad = a*torch.exp(a*b)
print("gradient of L w.r.t. b:", a.item()*math.exp(a.item()*b.item()))
print("%.4f is dL/da, numeric dL/da: %.4f" % (1.7, (math.exp(0.50001*-1.5) - 1)/0.00001))
dL_db = 0.2362
dLda = -1.5*math.exp(-0.75) + 1
# 5 quotient
h = 1e-5
dL_da_num = (torch.exp((a+h)*b) - torch.exp(a*b))/h
dL_da_2 = (torch.exp((a+h)*b) - torch.exp((a-h)*b))/(2*h)
# 6 in place of numbers
z = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
out = (z @ z.T).sum()
out.backward()
assert torch.equal(z.grad, torch.tensor([[8., 12.], [8., 12.]]))
dz = 2*torch.ones(2, 2) @ z
g = torch.autograd.grad((z**2).sum(), z)[0]
print((g - 2*z).abs().max())
print(np.abs(g.numpy() - 3*z.detach().numpy()).max())
# 7 second order, create graph
q = torch.tensor(1.5, requires_grad=True)
p = q**4
g1, = torch.autograd.grad(p, q, create_graph=True)
g2, = torch.autograd.grad(g1, q)
print(g2, 12*q**2)
