import numpy as np
import torch

# By hand
x0, x1 = 1.0, 2.0
w0, w1, w2 = 0.5, -0.3, 0.1
z = w0*x0 + w1*x1 + w2
k = np.exp(-z)
h = 1 + k
f = 1/h
dfdh = -1/h**2
dhdk = 1.0
dkdz = -np.exp(-z)
dfdz = dfdh*dhdk*dkdz
print("df/dh", dfdh)
print("df/dk", dhdk)
print(f"df/dz = {dkdz:.4f}")
df_dw0 = dfdz*x0
df_dw1 = dfdz*w1

X0 = torch.tensor(x0, requires_grad=True)
X1 = torch.tensor(x1, requires_grad=True)
W0 = torch.tensor(w0, requires_grad=True)
W1 = torch.tensor(w1, requires_grad=True)
W2 = torch.tensor(w2, requires_grad=True)
Z = W0*X0 + W1*X1 + W2
K = torch.exp(-Z)
H = 1 + K
F_ = 1/H
F_.backward()
print(W0.grad, W1.grad)
